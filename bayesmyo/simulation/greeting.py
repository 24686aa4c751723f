"""Whether a dask scheduler answers at an address, before its library is let loose on whatever does.

The library waits for the first message as long as it takes, and makes room for as many bytes as the first eight of it
say: what does not answer, or answers in another language, would hang it or fill the memory.
"""

import asyncio
import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from distributed import Security
from distributed.comm.addressing import get_address_host_port, parse_address

from bayesmyo.limits import GREETING

WORD = b"pickle-protocol"  # in what every scheduler says first
PAUSE = 0.2  # seconds between two tries: a scheduler may just be starting


def within[T](seconds: float, do: Callable[[], T]) -> T:
    """What a call returns or raises, unless it takes longer: then TimeoutError, and nobody waits for it any more."""
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def call() -> None:
        try:
            done.put((do(), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=call, daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("it takes longer") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def greeted(address: str, security: Security | None, seconds: float) -> None:
    """Returns once a scheduler has greeted.

    Raises OSError where nothing answers in time, ValueError where something else does.
    """
    protocol, _ = parse_address(address)
    context = (security or Security()).get_connection_args("client").get("ssl_context") if protocol == "tls" else None
    if protocol not in ("tcp", "tls") or (protocol == "tls" and context is None):
        return  # dask knows other ways, and says what an encrypted one lacks
    host, port = get_address_host_port(address)
    within(seconds + 1, lambda: asyncio.run(_listen(host, port, context, time.monotonic() + seconds)))


async def _listen(host: str, port: int, context: Any, deadline: float) -> None:
    while True:
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await _heard(host, port, context)
        except TimeoutError:
            raise TimeoutError("nothing was said") from None
        except OSError:
            if time.monotonic() + PAUSE > deadline:
                raise
            await asyncio.sleep(PAUSE)


async def _heard(host: str, port: int, context: Any) -> None:
    """One try. A message begins with its number of bytes."""
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        size = int.from_bytes(await reader.readexactly(8), sys.byteorder)
        if size > GREETING or WORD not in await reader.readexactly(size):
            raise ValueError("something else answers there")
    except asyncio.IncompleteReadError:
        raise ValueError("something else answers there, and hangs up") from None
    finally:
        writer.transport.abort()  # not closed: nobody waits for how the other end takes leave
        with contextlib.suppress(OSError):
            await writer.wait_closed()
