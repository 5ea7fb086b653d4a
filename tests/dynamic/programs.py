"""Pulumi programs inside the test's process: the SDK's own mocks, and an event loop that is closed afterwards."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import mocks, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest


class Recorder(mocks.Mocks):
    """Answers each registration with its inputs and `outputs`, and keeps what was registered."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        self._outputs = outputs
        self.made: list[MockResourceArgs] = []
        self.secret_outputs: list[list[str]] = []

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """No program here calls a function."""
        raise AssertionError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """A resource was registered."""
        self.made.append(args)
        return "22222222-2222-4222-8222-222222222222", {**args.inputs, **self._outputs}


class Monitor:
    """The SDK's mock monitor, not recognisable as one, so that the classes behave as under an engine.

    It also keeps of each registration what the mocks do not receive.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._mocks = mocks.MockMonitor(recorder)

    def RegisterResource(self, request: RegisterResourceRequest) -> Any:  # noqa: N802 - gRPC's name
        """A resource is registered."""
        self._recorder.secret_outputs.append(list(request.additionalSecretOutputs))
        return self._mocks.RegisterResource(request)  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        """Everything else is the SDK's."""
        return getattr(self._mocks, name)


@contextmanager
def _event_loops() -> Iterator[None]:
    """A loop for this thread and one for each that the SDK starts; it leaves all of them open."""
    loops: list[asyncio.AbstractEventLoop] = []

    def begin() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    # The SDK keeps the stack of the last program. After one that failed early, that stack still waits for an answer on
    # a loop that is closed, and the next programs would wait for the stack.
    settings.ROOT.set(None)
    begin()
    try:
        with ThreadPoolExecutor(max_workers=2, initializer=begin) as threads:
            loops[0].set_default_executor(threads)
            yield
    finally:
        asyncio.set_event_loop(None)
        for loop in loops:
            # What a program raised is raised already; asyncio would tell of it once more when it throws tasks away.
            loop.set_exception_handler(lambda *_: None)
            loop.close()


def run(program: Callable[[], object], *, outputs: dict[str, Any] | None = None, preview: bool = False) -> Recorder:
    """Run a program to its end, outputs that it returns included; what it raises is raised."""
    recorder = Recorder(outputs or {})
    with _event_loops():
        monitor: Any = Monitor(recorder)
        mocks.set_mocks(recorder, project="contoso", stack="dev", preview=preview, monitor=monitor)
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder


def unit_tests(*programs: Callable[[], object], outputs: dict[str, Any] | None = None) -> Recorder:
    """Run programs as the unit tests of a user do: one after the other, under the same mocks."""
    recorder = Recorder(outputs or {})
    with _event_loops():
        mocks.set_mocks(recorder, project="contoso", stack="dev")
        for program in programs:
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder


def values(program: Callable[[], dict[str, pulumi.Output[Any]]], *, outputs: dict[str, Any]) -> dict[str, Any]:
    """The values that the outputs of a program end up with."""
    found: dict[str, Any] = {}

    def keep() -> pulumi.Output[None]:
        return pulumi.Output.from_input(program()).apply(found.update)

    run(keep, outputs=outputs)
    return found


def input_sent(program: Callable[[], object]) -> Any:
    """The inputs of the one resource that a program registers, without the SDK's own."""
    made = run(program, preview=True).made
    (resource,) = made
    return {name: value for name, value in resource.inputs.items() if not name.startswith("__")}
