"""Two cases are merged into each other at the same moment: one merge is done, the other is refused in words."""

from __future__ import annotations

import threading

import httpx

from audit import audit
from installation import Installation
from serving import served
from settled import settle

ROUNDS = 25


def test_two_cases_merged_into_each_other_at_once_are_one_merge_and_one_refusal(installation: Installation) -> None:
    town = settle(installation)
    body = {"procedure": "incident", "topic": "fire_exit", "title": "楼道堆物", "area": town.areas["东一村一网格"]}
    with served(installation, "--no-work") as server, httpx.Client(base_url=server.url, timeout=30) as http:

        def opened() -> str:
            answer = http.post("/api/v1/cases", json=body, headers=town.bearer("triage"))
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        for _ in range(ROUNDS):
            pair = opened(), opened()
            answers: list[httpx.Response] = []
            ready = threading.Barrier(2)

            def merge(case: str, other: str, ready: threading.Barrier, answers: list[httpx.Response]) -> None:
                with httpx.Client(base_url=server.url, headers=town.bearer("triage"), timeout=30) as mine:
                    mine.get("/api/v1/me")
                    ready.wait()
                    given = {"act": "merge", "data": {"case": other}}
                    answers.append(mine.post(f"/api/v1/cases/{case}/acts", json=given))

            threads = [threading.Thread(target=merge, args=(*way, ready, answers)) for way in (pair, pair[::-1])]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            done, refused = sorted(answers, key=lambda answer: answer.status_code)
            assert (done.status_code, refused.status_code) == (200, 422), refused.text
            assert "已被并案" in refused.json()["error"]["zh"]
    assert audit(installation).caches == []
