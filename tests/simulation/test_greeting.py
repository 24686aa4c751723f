"""What answers at the address of a scheduler is a scheduler, or it is said within seconds that it is none."""

import contextlib
import json
import os
import socket
import threading
import time

import pytest
from distributed.protocol import dumps
from distributed.protocol.utils import pack_frames

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.simulation import workers as hands
from bayesmyo.simulation.header import Header
from bayesmyo.simulation.run import run
from bayesmyo.simulation.store import PARTS, read_results
from tests.simulation import light
from tests.simulation.plans import plan

ANSWER = 3  # seconds, instead of those of the package


def silent(connection):
    time.sleep(60)


def web_server(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    time.sleep(60)


def garbage(connection):
    connection.sendall(bytes(range(256)) * 100)
    time.sleep(60)


def zeros(connection):
    connection.sendall(bytes(1000))
    time.sleep(60)


def drip(connection):
    connection.sendall((5000).to_bytes(8, "little"))
    for _ in range(60):
        connection.sendall(b"\1")
        time.sleep(1)


def promise(connection):
    connection.sendall((2**35).to_bytes(8, "little"))
    time.sleep(60)


def hang_up(connection):
    connection.close()


def greet_and_hang(connection):
    """The first message of a scheduler, and nothing after it."""
    body = pack_frames(dumps({"compression": None, "python": [3, 13, 0], "pickle-protocol": 5}))
    connection.sendall(len(body).to_bytes(8, "little") + body)
    time.sleep(60)


def greet_with_garbage(connection):
    connection.sendall((100).to_bytes(8, "little") + b"pickle-protocol".ljust(100, b"\xff"))
    time.sleep(60)


@contextlib.contextmanager
def listening(says):
    """The address of something that says so to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            with contextlib.suppress(OSError), connection:
                says(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "says", [silent, web_server, garbage, zeros, drip, promise, hang_up, greet_and_hang, greet_with_garbage]
)
def test_what_is_no_scheduler_is_told_in_time(says, tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", ANSWER)
    began = time.monotonic()
    with listening(says) as address, pytest.raises(UsageError, match=r"no scheduler answers within 3 seconds"):
        run(plan(), tmp_path / "out", cluster=address, work=light.work)
    assert time.monotonic() - began < 3 * ANSWER + 5


def test_a_port_at_which_nothing_listens(tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(UsageError, match="no scheduler answers"):
            run(plan(), tmp_path / "out", cluster=f"127.0.0.1:{free.getsockname()[1]}", work=light.work)


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "tcp://127.0.0.1:port", "xyz://a:1", ""])
def test_what_is_no_address(address, tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", 1)
    with pytest.raises(UsageError, match="no scheduler answers"):
        run(plan(), tmp_path / "out", cluster=address, work=light.work)


# --- pipes where files are looked for: nothing is waited for


def test_a_pipe_instead_of_the_file_of_an_address(tmp_path):
    os.mkfifo(tmp_path / "scheduler.json")
    with pytest.raises(UsageError, match="is not a regular file"):
        run(plan(), tmp_path / "out", cluster=str(tmp_path / "scheduler.json"), work=light.work)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"address": ' + "[" * 200_000, "{}", "[]", '{"address": 1}', "\xff", "1" * 100_001]
)
def test_the_file_of_an_address_that_is_none(text, tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", 1)
    (tmp_path / "scheduler.json").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="no scheduler answers"):
        run(plan(), tmp_path / "out", cluster=str(tmp_path / "scheduler.json"), work=light.work)


def test_a_pipe_in_a_folder_of_results(tmp_path):
    folder = tmp_path / "out"
    run(plan(replicates=4), folder, workers=0, work=light.work)
    (part, *_) = (folder / PARTS).iterdir()
    for name in ("SHA256SUMS", "replicates.parquet"):
        (folder / name).unlink()
    name = part.name
    part.unlink()
    os.mkfifo(folder / PARTS / name)
    with pytest.raises(StorageError, match="is not a regular file"):
        read_results(folder)
    found = run(plan(replicates=4), folder, workers=0, work=light.work)  # it is set aside, and done again
    assert found.complete
    assert (folder / "damaged" / name).is_fifo()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        "[]",
        "{}",
        "1",
        '"x"',
        "",
        "\x00",
        '{"format": 2, "sha256": ' + "9" * 5000 + "}",
    ],
)
def test_a_plan_that_is_none(text, tmp_path):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(StorageError, match="is not what was written"):
        Header.read(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "2"},
        {"shard": [1]},
        {"shard": "ab"},
        {"versions": 3},
        {"others": 3},
        {"plan": {}},
        {"plan": {"cells": [1]}},
        {"plan": []},
    ],
)
def test_a_plan_that_was_forged_is_a_message(change, tmp_path):
    """Whoever can write the file can write its digest."""
    from bayesmyo.simulation.header import _digest

    body = json.loads(Header(plan(), {}).to_json()) | change
    body.pop("sha256")
    (tmp_path / "plan.json").write_text(json.dumps(body | {"sha256": _digest(body)}))
    with pytest.raises(StorageError, match="is not what was written"):
        Header.read(tmp_path)


def test_a_pipe_instead_of_a_plan(tmp_path):
    os.mkfifo(tmp_path / "plan.json")
    with pytest.raises(StorageError, match="is not a folder of results"):
        Header.read(tmp_path)
