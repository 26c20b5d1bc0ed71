"""`anlan topics`: which topic the words of a report mean, learned from the town's own closed cases."""

from __future__ import annotations

from typing import Annotated

import typer
from django.utils import timezone

from anlan.casework import experience
from anlan.intake import suggestion, topic_learning, topic_model
from anlan.intake.topic import TOPICS
from anlan.kernel import catalogue

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def main() -> None:
    """类别建议：上报的文字说的是什么事。

    Topic suggestions: what the words of a report are about.
    """


@app.command()
def learn() -> None:
    """按办结的事项学习，并用最近的一部分检验；马上生效，后台循环也会定期重学。

    Learn from closed cases and judge it on the latest of them; in force at once. The loops do it again by themselves.
    """
    now, how = timezone.now(), suggestion.declared()
    told = experience.topics_told(until=now, most=how.most)
    topics = catalogue.current().all(TOPICS)
    model, judged = topic_learning.learn(told, topics, how, until=timezone.localdate())
    topic_model.keep(model, judged.model_dump(mode="json"), at=now)
    line = topic_learning.say(judged)
    typer.echo(line.zh)
    typer.echo(line.en)


@app.command()
def suggest(text: Annotated[str, typer.Argument(help="上报的文字 / What was told")]) -> None:
    """这段文字最可能是哪些类别，有多大把握，因为哪些词。

    The topics this text is likely about, how sure that is, and because of which words.
    """
    heard = topic_model.hearing()
    for each in heard.suggest(text):
        title = heard.topics[each.topic].title
        typer.echo(f"{each.confidence:>4.0%}  {each.topic:<18}{title.zh} / {title.en}  ({' '.join(each.because)})")
