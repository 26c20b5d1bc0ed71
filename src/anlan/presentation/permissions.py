"""The one table that says what each address and each API operation asks of whoever calls it.

An address that is missing here is closed to everybody, and a test fails. Objects are scoped besides: what lies
outside a person's reach is "not found" for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from anlan.kernel.text import Refusal

PUBLIC = "public"
SIGNED_IN = "signed_in"

WEB: dict[str, str] = {
    # the frame
    "home": SIGNED_IN,
    "area_switch": SIGNED_IN,
    "sign_in": PUBLIC,
    "sign_out": PUBLIC,
    "language": PUBLIC,
    "password": SIGNED_IN,
    "me": SIGNED_IN,
    "search": SIGNED_IN,
    "suggest": SIGNED_IN,
    # the residents' pages
    "resident": PUBLIC,
    "resident_sent": PUBLIC,
    "resident_near": PUBLIC,
    "resident_map": PUBLIC,
    "resident_find": PUBLIC,
    "resident_around": PUBLIC,
    "resident_status": PUBLIC,
    "resident_answer": PUBLIC,
    "resident_photo": PUBLIC,
    "resident_watch": PUBLIC,
    "resident_watch_stop": PUBLIC,
    "resident_watch_confirm": PUBLIC,  # the link is signed, and so is the next
    "resident_watch_end": PUBLIC,
    # Open311: what is public; whoever sends something brings a key besides
    "open311_discovery": PUBLIC,
    "open311_services": PUBLIC,
    "open311_service": PUBLIC,
    "open311_requests": PUBLIC,
    "open311_request": PUBLIC,
    "open311_token": PUBLIC,
    "open311_location": PUBLIC,
    "open311_updates": PUBLIC,
    "open311_photo": PUBLIC,
    "open311_bulk": PUBLIC,
    "open311_nothing": PUBLIC,
    # machines: who calls is proven by the signature
    "hook": PUBLIC,
    # cases
    "inbox": SIGNED_IN,
    "cases": "cases.see",
    "case": "cases.see",
    "case_act": "cases.act",
    "case_event": "cases.see",
    "case_reports": "cases.see",
    "case_reporter": "cases.see",  # the reporter may have agreed that the department calls; the view asks the rest
    "case_export": "cases.export",
    "case_bulk": "cases.bulk",
    "report": "reports.receive",
    "report_sent": "reports.receive",
    "topics_heard": "reports.receive",
    "triage": "reports.see",
    "triage_one": "reports.see",
    "photo": SIGNED_IN,
    "quarantine": "quarantine.see",
    "held": "quarantine.see",
    "forwards": "quarantine.see",
    "forward": "quarantine.see",
    "imports": "imports.run",
    "batch": "imports.run",
    "upload": "imports.run",
    "upload_row": "imports.run",
    "upload_bad": "imports.run",
    "layout_template": "imports.run",
    "layout_export": "imports.run",  # what is in it is asked of the reach: cases.export, sites.see, statistics.see
    "notices": "notices.see",
    "notice_open": "notices.see",
    "notices_read": "notices.see",
    "pushes": "pushes.answer",
    "push": "pushes.answer",
    "calls": "statistics.see",
    "call_figures": "statistics.see",
    "board": "statistics.see",
    "statistics": "statistics.see",
    "statistics_export": "statistics.see",
    "given": "statistics.see",
    "given_one": "statistics.see",
    # the index: what was published; drafts besides for those who draft
    "index": "statistics.see",
    "index_edition": "statistics.see",
    "index_area": "statistics.see",
    "index_compare": "statistics.see",
    "index_scenario": "statistics.see",
    # what is behind an index; the cases in a figure are scoped besides
    "index_indicator": "statistics.see",
    "index_cases": "statistics.see",
    "index_card": "statistics.see",
    "index_audit": "statistics.see",
    "index_sure": "statistics.see",
    "index_integrity": "statistics.see",
    "index_recheck_list": "cases.export",
    "index_recheck": "cases.recheck",  # and a part in the case bars from it
    "index_editions": "statistics.see",
    "index_edition_act": "statistics.see",  # each step asks its own of the reach: to draft, to sign, to publish
    "facts": "statistics.see",
    "fact_table": "statistics.see",
    # places
    "sites": "sites.see",
    "site": "sites.see",
    "site_qr": "sites.see",
    "site_add": "sites.edit",
    "site_change": "sites.edit",
    "site_close": "sites.edit",
    "areas": "areas.see",
    "area": "areas.see",
    "area_add": "areas.edit",
    "area_rename": "areas.edit",
    "area_boundary": "areas.edit",
    "area_move": "areas.edit",
    "area_close": "areas.edit",
    # devices
    "devices": "devices.see",
    "device": "devices.see",
    "coverage": "devices.see",
    "device_add": "devices.edit",
    "device_change": "devices.edit",
    "device_retire": "devices.edit",
    "device_secret": "devices.edit",
    # settings
    "settings": "areas.see",
    "responsible": "areas.see",
    "calendar": "areas.see",
    "notice_load": "areas.edit",
    "roles": "officers.see",
    "post_add": "officers.edit",
    "post_end": "officers.edit",
    "officer_password": "officers.edit",
    "department_retire": "departments.edit",
    "duty_end": "duties.edit",
    "tokens": "tokens.edit",
    "token_issue": "tokens.edit",
    "token": "tokens.edit",
    "token_revoke": "tokens.edit",
    "clients": "tokens.edit",
    "client_add": "tokens.edit",
    "client": "tokens.edit",
    "client_change": "tokens.edit",
    "subscribers": "tokens.edit",
    "subscriber_add": "tokens.edit",
    "subscriber": "tokens.edit",
    "subscriber_change": "tokens.edit",
    "declared": "procedures.see",
    "declared_kind": "procedures.see",
    "declaration": "procedures.see",
    "topics_learned": "procedures.see",
    "doors": "quarantine.see",
    "parties": "sites.see",
    "party": "sites.see",
    "party_add": "sites.edit",
    "party_change": "sites.edit",
    "departments": "areas.see",
    "department": "areas.see",
    "department_add": "departments.edit",
    "department_change": "departments.edit",
    "duties": "areas.see",
    "duty": "areas.see",
    "duty_add": "duties.edit",
    "officers": "officers.see",
    "officer": "officers.see",
    "officer_add": "officers.edit",
    "officer_change": "officers.edit",
}

API: dict[str, str] = {
    "cases_list": "cases.see",
    "cases_open": "cases.act",
    "cases_act_many": "cases.bulk",
    "cases_one": "cases.see",
    "cases_timeline": "cases.see",
    "cases_offers": "cases.see",
    "cases_act": "cases.act",
    "reports_list": "reports.see",
    "reports_waiting": "reports.see",
    "reports_receive": "reports.receive",
    "reports_one": "reports.see",
    "reports_reporter": "reporter.see",
    "reports_proposal": "reports.see",
    "reports_accept": "cases.act",
    "reports_attach": "cases.act",
    "reports_withdraw": "reports.receive",
    "quarantine_list": "quarantine.see",
    "quarantine_one": "quarantine.see",
    "quarantine_mend": "quarantine.mend",
    "quarantine_discard": "quarantine.mend",
    "imports_list": "imports.run",
    "imports_one": "imports.run",
    "imports_run": "imports.run",
    "photos_keep": "reports.receive",
    "photos_one": SIGNED_IN,
    "areas_list": "areas.see",
    "areas_create": "areas.edit",
    "areas_one": "areas.see",
    "areas_change": "areas.edit",
    "areas_rename": "areas.edit",
    "areas_move": "areas.edit",
    "areas_close": "areas.edit",
    "areas_seams": "areas.edit",
    "sites_list": "sites.see",
    "sites_create": "sites.edit",
    "sites_one": "sites.see",
    "sites_change": "sites.edit",
    "parties_list": "sites.see",
    "parties_create": "sites.edit",
    "parties_one": "sites.see",
    "parties_change": "sites.edit",
    "departments_list": "areas.see",
    "departments_create": "departments.edit",
    "departments_one": "areas.see",
    "departments_change": "departments.edit",
    "calendars_list": "areas.see",
    "calendars_announce": "areas.edit",
    "officers_list": "officers.see",
    "officers_create": "officers.edit",
    "officers_one": "officers.see",
    "officers_change": "officers.edit",
    "officers_password": "officers.edit",
    "posts_list": "officers.see",
    "posts_create": "officers.edit",
    "posts_end": "officers.edit",
    "posts_certify": "officers.edit",
    "duties_list": "areas.see",
    "duties_responsible": "areas.see",
    "duties_assign": "duties.edit",
    "duties_end": "duties.edit",
    "tokens_list": "tokens.edit",
    "tokens_issue": "tokens.edit",
    "tokens_revoke": "tokens.edit",
    "procedures_list": "procedures.see",
    "procedures_one": "procedures.see",
    "procedures_svg": "procedures.see",
    "topics_list": SIGNED_IN,
    "topics_suggest": SIGNED_IN,
    "channels_list": SIGNED_IN,
    "roles_list": SIGNED_IN,
    "statistics_figures": "statistics.see",
    "pushes_list": "pushes.answer",
    "pushes_one": "pushes.answer",
    "pushes_receive": "pushes.answer",
    "pushes_answer": "pushes.answer",
    "statistics_calls": "statistics.see",
    "index_list": "statistics.see",
    "index_editions": "statistics.see",
    "index_indicator": "statistics.see",
    "index_ranks": "statistics.see",
    "index_area": "statistics.see",
    "rechecks_draw": "statistics.see",
    "rechecks_record": "cases.recheck",
    "notices_list": "notices.see",
    "notices_read": "notices.see",
    "ledger_verify": "ledger.see",
    "ledger_head": "ledger.see",
    "export_cases": "cases.export",
    "export_reports": "cases.export",
    "export_events": "ledger.see",
    "me_one": SIGNED_IN,
    "devices_list": "devices.see",
    "devices_cover": "devices.see",
    "devices_create": "devices.edit",
    "devices_one": "devices.see",
    "devices_change": "devices.edit",
    "devices_retire": "devices.edit",
    "devices_secret": "devices.edit",
}

View = Callable[..., HttpResponseBase]


class NotPermitted(Refusal):
    """Somebody's posts do not allow what they asked."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "您的岗位没有这项权限。如需办理，请联系本级管理员调整岗位。",
            "Your posts do not allow this. If you need it, ask your administrator to change your posts.",
        )


class NotFound(Refusal):
    """What was asked for does not exist for this person: absent, or outside their reach (they are not told which)."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "没有找到您要看的内容：它可能不存在，也可能不在您的辖区或职责之内。请检查地址，或从待办重新进入。",
            "What you asked for was not found: it may not exist, or it lies outside your area or duties. "
            "Check the address, or start again from To do.",
        )


def needs(action: str) -> Callable[[View], View]:
    """Guard a view: signed in, and holding `action` in at least one post. The view itself scopes its objects."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if action != PUBLIC:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                if action != SIGNED_IN and not request.reach.may(action):  # type: ignore[attr-defined]
                    raise NotPermitted
            return view(request, *args, **kwargs)

        guarded.needs = action  # type: ignore[attr-defined]
        return guarded

    return guard
