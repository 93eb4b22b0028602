"""What every store promises, whatever it lies on."""

import threading
from pathlib import Path

import pytest

from accountpulse.core.errors import ConfigurationError, SourceUnavailable
from accountpulse.state import store_at
from faults.wire import Wire, raw, whole


def test_what_was_written_is_read_and_what_was_not_is_none(root: str) -> None:
    store = store_at(root)
    assert store.read("a/b.json") is None
    store.write("a/b.json", b"one")
    store.write("a/b.json", b"two")
    found = store.read("a/b.json")
    assert found is not None
    assert found.content == b"two"


def test_create_never_replaces(root: str) -> None:
    store = store_at(root)
    assert store.create("lock", b"first")
    assert not store.create("lock", b"second")
    found = store.read("lock")
    assert found is not None
    assert found.content == b"first"


def test_swap_replaces_only_what_was_seen(root: str) -> None:
    store = store_at(root)
    store.write("lock", b"old")
    seen = store.read("lock")
    assert seen is not None
    assert store.swap("lock", b"new", seen.tag)
    assert not store.swap("lock", b"late", seen.tag)
    found = store.read("lock")
    assert found is not None
    assert found.content == b"new"
    store.remove("lock")
    assert not store.swap("lock", b"ghost", found.tag)
    assert store.read("lock") is None


def test_of_many_who_swap_at_once_one_wins(root: str) -> None:
    store = store_at(root)
    store.write("lock", b"old")
    seen = store.read("lock")
    assert seen is not None
    won: list[int] = []
    begin = threading.Barrier(8)

    def try_it(number: int) -> None:
        begin.wait()
        if store_at(root).swap("lock", b"%d" % number, seen.tag):
            won.append(number)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    found = store.read("lock")
    assert found is not None
    assert found.content == b"%d" % won[0]


def test_names_are_sorted_and_narrowed_by_prefix(root: str) -> None:
    store = store_at(root)
    for name in ("runs/2026-10/b.json", "runs/2026-10/a.json", "runs/2026-09/c.json", "history/x.parquet"):
        store.write(name, b"{}")
    assert list(store.names("runs/")) == ["runs/2026-09/c.json", "runs/2026-10/a.json", "runs/2026-10/b.json"]
    assert list(store.names("runs/2026-1")) == ["runs/2026-10/a.json", "runs/2026-10/b.json"]
    store.remove("runs/2026-09/c.json")
    store.remove("runs/2026-09/c.json")
    assert len(list(store.names())) == 3
    assert list(store.names("none/")) == []


def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ACCOUNTPULSE_STATE"):
        store_at(tmp_path / "file").write("a/b", b"")


def test_nothing_half_written_stays_in_a_folder(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.write("a/b", b"one")
    store.create("a/b", b"two")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_bucket_that_is_not_there_is_a_setting_to_mend(bucket: str) -> None:
    assert bucket
    with pytest.raises(ConfigurationError, match=r"no-such-bucket.*NoSuchBucket.*ACCOUNTPULSE_STATE"):
        store_at("s3://no-such-bucket-of-ours/x").write("a", b"")


def test_a_store_that_does_not_answer_is_unavailable(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailable, match="state"):
        store_at(f"s3://{bucket}/x").read("a")


@pytest.mark.usefixtures("aws")
def test_an_object_that_is_cut_off_on_its_way_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = raw(b'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: 100\r\n\r\nhalf')
    with Wire(cut, whole(200, b"all of it", 'ETag: "one"')) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        found = store_at("s3://bucket/x").read("a")
        assert found is not None
        assert found.content == b"all of it"
    with Wire(for_ever=cut) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(SourceUnavailable, match="state"):
            store_at("s3://bucket/x").read("a")
        assert len(server.asked) == 3


def test_an_object_is_moved_whatever_it_is(root: str) -> None:
    store = store_at(root)
    store.write("a/b", b"one")
    store.move("a/b", "aside/a/b.1")
    store.move("a/none", "aside/a/none")
    assert list(store.names()) == ["aside/a/b.1"]


def test_what_a_console_takes_for_a_folder_is_no_object(bucket: str) -> None:
    store = store_at(f"s3://{bucket}/x")
    store.write("runs/", b"")
    store.write("runs/a.json", b"{}")
    assert list(store.names()) == ["runs/a.json"]
