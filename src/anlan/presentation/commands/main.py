"""`anlan`: the frame of the command line. A command is a module beside this one and a line in COMMANDS."""

from __future__ import annotations

import errno
import importlib
import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import django
import typer
from django.db import DatabaseError
from typer.core import TyperGroup

from anlan.kernel.text import Refusal, Text
from anlan.presentation.commands.usage import UsageError, is_help, said

HELP = Text(
    zh="安澜：一件事，一个责任人，一个期限，办结有据。",
    en="Anlan: one case, one owner, one deadline, proven closed.",
)

NO_DATABASE = Text(
    zh="数据库不可用：{reason}\n请检查 ANLAN_DATABASE_URL 和数据库服务；新库请先执行 anlan serve 或 anlan demo。",
    en="The database cannot be used: {reason}\nCheck ANLAN_DATABASE_URL and the database; anlan serve makes a new one.",
)
NO_FILE = Text(
    zh="文件或文件夹用不了：{reason}\n请核对路径、读写权限和磁盘剩余空间。",
    en="A file or folder cannot be used: {reason}\nCheck the path, the rights to it, and that the disk is not full.",
)
OF_FILES = frozenset({
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
    errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.ENOTEMPTY, errno.EPERM, errno.EROFS,
})  # fmt: skip
"""What goes wrong with files; other errors of the system are of networks and processes."""


@dataclass(frozen=True)
class Command:
    """Where a command lives (`app` in a module beside this one) and what the list says of it."""

    module: str
    help: Text


COMMANDS = {
    "demo": Command("demo", Text(zh="建一座演示县城并打开网站", en="Build the demo town and serve it")),
    "serve": Command("serve", Text(zh="运行网站和后台循环", en="Serve the site, with its background loops")),
    "work": Command("work", Text(zh="只运行后台循环：时限、跟随、封存、到期清除", en="Run the background loops alone")),
    "listen": Command("listen", Text(zh="接收设备：MQTT、GB/T 26875.3", en="Listen to devices: MQTT, GB/T 26875.3")),
    "devices": Command(
        "devices", Text(zh="设备：登记、发密码、写消息服务器文件", en="Devices: register, give passwords")
    ),
    "check": Command("check", Text(zh="检查全部声明文件", en="Check everything that is declared")),
    "doors": Command("doors", Text(zh="看哪个渠道卡住了", en="See which door is stuck")),
    "import": Command("imports", Text(zh="导入表格，可按历史重放", en="Import a table; replay its history if asked")),
    "export": Command("export", Text(zh="导出事项、上报、事件", en="Export cases, reports or events")),
    "facts": Command("facts", Text(zh="事实表：导出、核对、列出", en="Facts as Parquet: export, verify, list")),
    "backup": Command("backup", Text(zh="备份全部数据，不必停止服务", en="Back up everything while serving")),
    "restore": Command("restore", Text(zh="恢复备份并验证台账", en="Restore a backup and prove the ledger whole")),
    "procedure": Command("procedure", Text(zh="查看一部流程，或画成图", en="Show a procedure, or draw it")),
    "likeness": Command("likeness", Text(zh="从本地并案学习相似判断", en="Learn from merges what is the same thing")),
    "topics": Command("topics", Text(zh="从办结事项学习类别建议", en="Learn from closed cases what words mean")),
    "index": Command("index", Text(zh="指数：列出、检查、从事实表计算", en="Indices: list, check, work out")),
    "ledger": Command("ledger", Text(zh="验证台账未被改动", en="Prove that the ledger was not touched")),
    "town": Command("town", Text(zh="城镇：列出声明的，装入数据库", en="Towns: list what is declared, load one")),
    "areas": Command("areas", Text(zh="辖区：检查边界的重叠和空隙", en="Areas: find overlaps and holes of boundaries")),
    "clients": Command("clients", Text(zh="接入方：登记、换密钥、停用", en="Machines that post: add, rotate, stop")),
    "user": Command("user", Text(zh="人员：新增、改密码、列出", en="People: add, set a password, list")),
}


class Commands(TyperGroup):
    """Loads a command when it is asked for, with Django ready; tells a refusal as a sentence, with exit code 2."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            zh, en = (
                (f"是否想写“{near[0]}”？", f"Did you mean “{near[0]}”?") if near else ("见 --help。", "See --help.")
            )
            raise Refusal(f"没有“{cmd_name}”这条命令。{zh}", f"There is no command “{cmd_name}”. {en}")
        return load(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        formatter.write("\n命令 Commands:\n")
        for name, command in COMMANDS.items():
            formatter.write(f"  {name:<11}{command.help.zh}\n{'':13}{command.help.en}\n")

    def make_context(self, *given: Any, **more: Any) -> Any:
        try:
            return super().make_context(*given, **more)
        except UsageError as error:
            if is_help(error):
                raise
            tell(said(error))
        raise typer.Exit(2)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            tell(refusal.text)
        except UsageError as error:
            if is_help(error):
                raise
            tell(said(error))
        except DatabaseError as error:
            tell(NO_DATABASE.format(reason=str(error).strip()))
        except OSError as error:
            if error.errno not in OF_FILES:
                raise
            tell(NO_FILE.format(reason=str(error).strip()))
        raise typer.Exit(2)


def load(name: str) -> Any:
    """The command, imported once Django knows its settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anlan.presentation.settings")
    django.setup()
    module = importlib.import_module(f"anlan.presentation.commands.{COMMANDS[name].module}")
    return typer.main.get_command(module.app)


def tell(text: Text) -> None:
    """A sentence to the person at the terminal, in both languages."""
    typer.echo(text.zh, err=True)
    typer.echo(text.en, err=True)


app = typer.Typer(
    name="anlan",
    cls=Commands,
    help=f"{HELP.zh}\n\n{HELP.en}",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def anlan() -> None:
    """Nothing of its own: everything is in the commands."""


if __name__ == "__main__":
    app()
