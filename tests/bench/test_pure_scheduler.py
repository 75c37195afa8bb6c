import pytest
from asafess.bench.pure_scheduler import PureScheduler, fan_in_graph
from distributed import SchedulerPlugin


def leaf(i): ...


def join(*parts): ...


class Recorder(SchedulerPlugin):
    def __init__(self):
        self.finished = []
        self.graphs = []

    def update_graph(self, scheduler, *, tasks, **kwargs):
        self.graphs.append(len(tasks))

    def transition(self, key, start, finish, *args, **kwargs):
        if (start, finish) == ("processing", "memory"):
            self.finished.append((key, kwargs["worker"]))


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def pure(recorder):
    made = PureScheduler(recorder, workers=4)
    yield made
    made.close()


def test_every_task_runs_once_on_some_worker_and_nothing_is_left_in_the_scheduler(pure, recorder):
    graph = fan_in_graph(leaf, join, 200)
    keys = [key for key in graph if key[0] == "join"]
    assert sum(pure.run(graph, keys, step=50)) == 220
    assert sorted(key for key, _ in recorder.finished) == sorted(graph)
    assert len({worker for _, worker in recorder.finished}) == 4
    assert recorder.graphs == [220]
    assert not pure.scheduler.tasks
    assert all(not ws.processing for ws in pure.scheduler.workers.values())


def test_inputs_finish_before_the_task_that_takes_them(pure, recorder):
    graph = fan_in_graph(leaf, join, 100)
    list(pure.run(graph, [key for key in graph if key[0] == "join"], step=1000))
    place = {key: i for i, (key, _) in enumerate(recorder.finished)}
    assert all(place[dep] < place[key] for key, task in graph.items() for dep in task.dependencies)


def test_a_run_pauses_about_every_step(pure):
    graph = fan_in_graph(leaf, join, 300)
    pauses = list(pure.run(graph, list(graph), step=100))
    assert sum(pauses) == 330
    assert all(100 <= ran < 110 for ran in pauses[:-1])


def test_two_graphs_can_run_one_after_the_other(pure):
    for _ in range(2):
        graph = fan_in_graph(leaf, join, 50)
        assert sum(pure.run(graph, list(graph), step=1000)) == 55
