import json

from asafess.bench import environment


def test_the_surroundings_name_machine_versions_and_links_and_fit_into_json():
    found = environment.environment({"links": "loopback", "rate": None})
    json.dumps(found)
    assert found["cores"] >= 1
    assert found["cpu"]
    assert found["memory_gib"] > 0
    assert set(found["versions"]) == {"asafess", "dask", "distributed", "numpy", "numba", "scipy"}
    assert all(found["versions"].values())
    assert found["links"]["links"] == "loopback"
    assert found["date"].endswith("+00:00")


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "bench" / "environment.py"))
    assert environment.commit() is None


def test_a_machine_without_proc_is_still_described(monkeypatch):
    monkeypatch.setattr(environment, "_field", lambda path, name: None)
    assert environment.environment()["memory_gib"] is None


def test_how_the_c_library_keeps_memory_is_said_where_it_was_set(monkeypatch):
    before = environment.environment()["malloc"]
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "0")
    found = environment.environment()
    assert found["malloc"] == {**before, "MALLOC_MMAP_MAX_": "0"}
    assert "; MALLOC_MMAP_MAX_=0" in environment.one_line(found)
