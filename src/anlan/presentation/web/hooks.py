"""Where other systems post to. Nobody signs in here: each body is signed; see `intake.hooks`."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from anlan.intake import hooks
from anlan.kernel.text import Refusal, Text
from anlan.presentation.permissions import PUBLIC, needs

POST_IT = Text(
    zh="这个地址只接受 POST 推送；写法见“推送接入”的说明。",
    en="This address takes POST alone; see the page on connecting by webhook.",
)


@csrf_exempt
@needs(PUBLIC)
def hook(request: HttpRequest, client: str) -> JsonResponse:
    """One delivery. What is too large is turned away before it is read."""
    at = request.at  # type: ignore[attr-defined]
    if request.method != "POST":
        error = {"zh": POST_IT.zh, "en": POST_IT.en, "field": ""}
        return JsonResponse({"error": error}, status=405, headers={"Allow": "POST"})
    most = hooks.most_bytes(client)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or len(length) > 12 or int(length) > most:
        answer = hooks.refuse(client, "too_large", at=at)
    else:
        # Read no further than that, whatever length was said.
        body = request.read(most + 1)
        try:
            answer = hooks.take(client, request.headers, body, at=at)
        except Refusal as refusal:
            # Nothing was kept, and the sender is told so: it sends it again.
            error = {"zh": refusal.text.zh, "en": refusal.text.en, "field": refusal.field}
            return JsonResponse({"error": error}, status=503)
    made = JsonResponse(answer.data, status=answer.status, json_dumps_params={"ensure_ascii": False, "sort_keys": True})
    if answer.kind == "repeated_delivery":
        made.headers["X-Anlan-Repeated"] = "1"
    return made
