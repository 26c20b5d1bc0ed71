"""The peer: SpiffWorkflow 3 taking the same course, its state kept in the same database by the same connection.

As its documentation has it: the state is read, a ready user task is given its data and run, the engine goes on, and the
state is written as JSON. The table is plain SQL; nothing of Django's ORM stands between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from benchmarks.rows import HERE, Spent, timed

MODEL = HERE / "seven_steps.bpmn"


class Peer:
    """The process of `seven_steps.bpmn`, and a table for its instances."""

    def __init__(self) -> None:
        parser = BpmnParser()
        parser.add_bpmn_file(str(MODEL))
        self._spec = parser.get_spec("incident")
        self._serializer = BpmnWorkflowSerializer()
        self._lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_process (id bigint PRIMARY KEY, state text NOT NULL)")
            cursor.execute("INSERT INTO bench_process (id, state) VALUES (-1, '')")

    def begin(self, number: int) -> None:
        """Start an instance: it waits at the first step."""
        workflow = BpmnWorkflow(self._spec)
        workflow.do_engine_steps()
        state = self._serializer.serialize_json(workflow)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_process (id, state) VALUES (%s, %s)", [number, state])

    def act(self, number: int, to: str, data: Mapping[str, Any]) -> None:
        """Complete the user task that waits, so that the process goes on to the step `to`; saved when this returns."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT state FROM bench_process WHERE id = %s{self._lock}", [number])
            workflow = self._serializer.deserialize_json(cursor.fetchone()[0])
            task = workflow.get_tasks(state=TaskState.READY, manual=True)[0]
            task.data.update(data, to=to)
            task.run()
            workflow.do_engine_steps()
            state = self._serializer.serialize_json(workflow)
            cursor.execute("UPDATE bench_process SET state = %s WHERE id = %s", [state, number])

    def bare(self) -> Spent:
        """One short row changed and committed: what no step can be faster than on this disk."""
        with timed() as spent, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE bench_process SET state = 'x' WHERE id = -1")
        return spent

    def step(self, number: int) -> str:
        """The step at which the instance waits; "" when it is finished."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM bench_process WHERE id = %s", [number])
            workflow = self._serializer.deserialize_json(cursor.fetchone()[0])
        waiting = workflow.get_tasks(state=TaskState.READY, manual=True)
        return str(waiting[0].task_spec.name) if waiting else ""
