"""Two officers act on one case at the same moment: one wins, the other is told what happened."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from audit import audit
from installation import Installation
from serving import Server, served
from settled import Town, settle

ROUNDS = 25
RIVALS = {
    "triage": ("register", {}, "白洁", "Register"),
    "dispatcher": ("decline", {"reason": "不属实"}, "陈调", "Do not register"),
}


def opened(http: httpx.Client, town: Town, number: int) -> dict[str, Any]:
    body = {"procedure": "incident", "topic": "fire_exit", "title": f"第 {number} 轮"}
    answer = http.post("/api/v1/cases", json=body | {"area": town.areas["东一村一网格"]}, headers=town.bearer("triage"))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def together(server: Server, town: Town, case: dict[str, Any], *, rev: int | None) -> dict[str, httpx.Response]:
    """Both act at once, each through a connection of their own that is open already."""
    answers: dict[str, httpx.Response] = {}
    ready = threading.Barrier(len(RIVALS))

    def act(who: str) -> None:
        body = {"act": RIVALS[who][0], "data": RIVALS[who][1], "rev": rev, "key": f"{who}-{case['id']}"}
        with httpx.Client(base_url=server.url, headers=town.bearer(who), timeout=30) as http:
            http.get("/api/v1/me")
            ready.wait()
            answers[who] = http.post(f"/api/v1/cases/{case['id']}/acts", json=body)

    threads = [threading.Thread(target=act, args=(who,)) for who in RIVALS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_officers_who_act_at_once_one_wins_and_the_other_is_told_who_did_what(
    installation: Installation,
) -> None:
    town = settle(installation)
    won = dict.fromkeys(RIVALS, 0)
    with served(installation, "--no-work") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        for number in range(ROUNDS):
            case = opened(http, town, number)
            answers = together(server, town, case, rev=case["rev"])
            winner, loser = sorted(RIVALS, key=lambda who: answers[who].status_code)
            assert (answers[winner].status_code, answers[loser].status_code) == (200, 409), answers[loser].text
            said = answers[loser].json()["error"]
            _, _, name, title = RIVALS[winner]
            assert name in said["zh"], said
            assert name in said["en"], said
            assert f"'{title}'" in said["en"], said
            lines = http.get(f"/api/v1/cases/{case['id']}/timeline", headers=town.bearer("triage")).json()
            assert [(line["by"]["zh"], line["title"]["en"]) for line in lines[1:]] == [(name, title)]
            won[winner] += 1
    found = audit(installation)
    assert found.cases == sum(won.values()) == ROUNDS
    assert (found.caches, found.tallies) == ([], [])


def test_without_saying_what_they_saw_the_second_is_still_refused_by_where_the_case_stands(
    installation: Installation,
) -> None:
    town = settle(installation)
    with served(installation, "--no-work") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        for number in range(5):
            case = opened(http, town, number)
            answers = together(server, town, case, rev=None)
            # Declining is allowed after registering too; registering after declining is not.
            codes = {who: answer.status_code for who, answer in answers.items()}
            assert codes in ({"triage": 200, "dispatcher": 200}, {"triage": 409, "dispatcher": 200}), codes
            if codes["triage"] == 409:
                assert "Not registered" in answers["triage"].json()["error"]["en"]
