"""`anlan user`: the first people of an installation; later ones are kept on the settings pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from django.db import transaction
from django.utils import timezone

from anlan.kernel.text import Refusal
from anlan.places import areas, departments, officers, tokens
from anlan.places.models import Officer
from anlan.places.scope import posts_of

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="用户名 / User name")]
Password = Annotated[
    str,
    typer.Option(
        prompt="密码 Password", hide_input=True, confirmation_prompt=True, help="不写则提问 / Asked for if not given"
    ),
]


@app.callback()
def user() -> None:
    """人员：新增、改密码、列出。

    People: add, set a password, list.
    """


@app.command()
def add(
    username: Username,
    password: Password,
    name: Annotated[str, typer.Option(prompt="姓名 Name", help="姓名 / Name")],
    role: Annotated[str, typer.Option(help="角色，如 administrator / Role")] = "",
    area: Annotated[str, typer.Option(help="岗位所在辖区的编码 / Code of the area the role is held over")] = "",
    department: Annotated[str, typer.Option(help="部门代号 / Key of the department")] = "",
    certificate: Annotated[str, typer.Option(help="执法证号 / Certificate number, for roles that need one")] = "",
    certificate_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="执法证有效期 / Valid until")
    ] = None,
) -> None:
    """新增一个人；给出 --role 和 --area 时同时任命岗位。

    Add a person; with --role and --area also give them a post.
    """
    at = timezone.now()
    if bool(role) != bool(area):
        raise Refusal("--role 和 --area 要一起给出。", "Give --role and --area together.")
    with transaction.atomic():
        officer = officers.create(username, name=name, password=password, by=None, at=at)
        if role:
            officers.post(
                officer,
                role,
                areas.find(area, timezone.localdate(at)),
                by=None,
                at=at,
                department=departments.find(department) if department else None,
                certificate_no=certificate,
                certificate_until=certificate_until.date() if certificate_until else None,
            )
    typer.echo(f"已新增 {officer.username} / Added {officer.username}")


@app.command()
def system(
    username: Username,
    name: Annotated[str, typer.Option(prompt="名称 Name", help="系统的名称 / What the system is called")],
    area: Annotated[str, typer.Option(help="它管到的辖区编码 / Code of the area it works for")],
    role: Annotated[str, typer.Option(help="角色 / Role")] = "grid_worker",
    action: Annotated[
        list[str] | None, typer.Option(help="密钥能做的事，可写多次 / What the key allows; may stand several times")
    ] = None,
) -> None:
    """登记一个系统账号并发一把密钥；密钥只显示这一次。

    Enter an account for another system and issue its key, which is shown this once.
    """
    at = timezone.now()
    with transaction.atomic():
        officer = officers.create(username, name=name, is_machine=True, by=None, at=at)
        officers.post(officer, role, areas.find(area, timezone.localdate(at)), by=None, at=at)
        _, secret = tokens.issue(officer, name, action or ["reports.receive"], at=at)
    typer.echo(f"已登记 {officer.username}，密钥如下，请现在抄下 / Entered {officer.username}; copy its key now:")
    typer.echo(secret)


@app.command()
def passwd(username: Username, password: Password) -> None:
    """设置密码，同时解除锁定；本人下次登录要改密码。

    Set a password and lift a lock; the person is asked to change it at the next sign-in.
    """
    officer = Officer.objects.filter(username=username.strip().lower()).first()
    if officer is None:
        raise Refusal(f"没有用户“{username}”。", f"There is no user “{username}”.", field="username")
    officers.set_password(officer, password, by=None, at=timezone.now(), must_change=True)
    typer.echo(f"已更新 {officer.username} 的密码 / Password of {officer.username} set")


@app.command("list")
def list_() -> None:
    """列出人员和现任岗位。

    List people and the posts they hold now.
    """
    at = timezone.now()
    for officer in Officer.objects.order_by("username"):
        held = "，".join(f"{post.role}@{post.area.path}" for post in posts_of(officer, at=at))
        state = "" if officer.is_active else "  停用 inactive"
        typer.echo(f"{officer.username:<20}{officer.name}  {held}{state}")
