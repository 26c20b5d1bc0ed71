"""The addresses of the case screens."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from anlan.presentation.web import (
    board,
    case_act,
    case_bulk,
    case_export,
    case_page,
    case_reports,
    cases,
    imports_page,
    inbox,
    notices_page,
    photos_view,
    quarantine_page,
    report_new,
    statistics,
    triage,
    uploads_page,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("cases/", cases.index, name="cases"),
    path("cases/together/", case_bulk.case_bulk, name="case_bulk"),
    path("cases/export/<str:kind>/", case_export.case_export, name="case_export"),
    path("cases/<str:number>/", case_page.case, name="case"),
    path("cases/<str:number>/acts/<str:act>/", case_act.case_act, name="case_act"),
    path("cases/<str:number>/reports/", case_reports.case_reports, name="case_reports"),
    path("cases/<str:number>/reports/<uuid:report_id>/reporter/", case_reports.case_reporter, name="case_reporter"),
    path("report/", report_new.report, name="report"),
    path("report/<uuid:report_id>/", report_new.report_sent, name="report_sent"),
    path("triage/", triage.index, name="triage"),
    path("triage/<uuid:report_id>/", triage.one, name="triage_one"),
    path("figures/now/", board.board, name="board"),
    path("figures/", statistics.statistics, name="statistics"),
    path("figures/export/", statistics.statistics_export, name="statistics_export"),
    path("held/", quarantine_page.index, name="quarantine"),
    path("held/<uuid:held_id>/", quarantine_page.held, name="held"),
    path("imports/", imports_page.index, name="imports"),
    path("imports/<uuid:batch_id>/", imports_page.batch, name="batch"),
    path("imports/files/<uuid:upload_id>/", uploads_page.upload, name="upload"),
    path("imports/files/<uuid:upload_id>/rows/<int:row_no>/", uploads_page.upload_row, name="upload_row"),
    path("imports/files/<uuid:upload_id>/to-mend/", uploads_page.upload_bad, name="upload_bad"),
    path("imports/layouts/<slug:key>/", uploads_page.layout_template, name="layout_template"),
    path("imports/layouts/<slug:key>/export/", uploads_page.layout_export, name="layout_export"),
    path("notices/", notices_page.notices, name="notices"),
    path("notices/read/", notices_page.notices_read, name="notices_read"),
    path("notices/<uuid:notice_id>/", notices_page.notice_open, name="notice_open"),
    path("photos/<uuid:photo_id>/<str:size>/", photos_view.photo, name="photo"),
]
