"""`dask scheduler` and `dask worker` as processes of their own, for tests."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

#: puts a stone in the way of `import asafess`, as on a machine where it is not installed
WITHOUT = """
import sys

class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "asafess":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotHere())
"""


def wait_for(condition, what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


@contextmanager
def process(arguments, log, env):
    with log.open("w") as out:
        command = [sys.executable, "-m", "dask", *arguments]
        started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def cluster(folder, scheduler=(), worker=(), scheduler_env=None, worker_env=None, workers=2):
    """`dask scheduler` and `dask worker` processes on addresses of their own; yields the scheduler's address."""
    file = folder / "scheduler.json"
    scheduler_arguments = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *scheduler]
    with process([*scheduler_arguments, "--scheduler-file", str(file)], folder / "scheduler.log", scheduler_env or {}):
        wait_for(file.exists, "the scheduler did not start")
        started = []
        for number in range(workers):
            arguments = ["worker", "--scheduler-file", str(file), "--no-nanny", "--nthreads", "1", "--no-dashboard"]
            arguments += ["--host", f"127.0.0.{number + 2}", "--local-directory", str(folder), *worker]
            started.append(process(arguments, folder / f"worker{number}.log", worker_env or {}))
        for one in started:
            one.__enter__()
        try:
            yield str(file)
        finally:
            for one in started:
                one.__exit__(None, None, None)


def without_asafess(folder):
    """Return an environment in which `asafess` can't be imported."""
    folder = folder / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT)
    return {"PYTHONPATH": str(folder)}
