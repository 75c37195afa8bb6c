import json

import pytest
from asafess.bench.kernel_summary import compression_summary, counted, failed, print_all, product_summary


def rows(times, **tags):
    """Rows of three rounds, each arm as fast as said, µs."""
    return [
        {"arm": arm, "round": k, "order": 0, "warmup": False, "ok": us is not None, "error": None if us else "broken"}
        | ({"call_seconds": us * 1e-6} if us else {})
        | ({"read_bytes": 2_000_000 if arm.startswith("read") else 1_000_000} if arm[:4] in ("read", "asaf") else {})
        | tags
        for arm, us in times.items()
        for k in range(3)
    ]


TIMES = {"asafess": 100, "asafess again": 101, "numpy": 300, "mkl": 130, "read: np.sum": 180, "read: np.dot": 160}


def product(percent, columns=None, **times):
    return rows({**TIMES, **times}, scale=13, percent=percent, columns=columns, threads=1)


def test_the_fastest_peer_and_the_machine_are_what_ours_is_compared_with():
    summary = product_summary(product(20.0))
    assert summary["best_peer"] == {"13": {"20": "mkl"}}
    assert summary["ratio_vs_best_peer"]["13"]["20"] == pytest.approx(1.3)
    assert summary["ratio_vs_best_peer_interval"]["13"]["20"] == pytest.approx([1.3, 1.3])
    assert summary["ratio_vs_dense"]["13"]["20"] == pytest.approx(3.0)
    # 1 MB in 100 µs beside 2 MB in 160 µs
    assert summary["bandwidth_fraction"]["13"]["20"] == pytest.approx(0.8)
    assert summary["gigabytes_per_second"]["13"]["20"] == pytest.approx(10)
    assert summary["machine_gigabytes_per_second"]["13"]["20"] == pytest.approx(12.5)
    assert summary["a_against_a_half_width"]["13"]["20"] == pytest.approx(0.01)
    assert summary["at_least_bar"]["13"]["20"] == "held"
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(
    ("percent", "mkl", "said"),
    [
        (0.0, 97, "held"),
        (2.0, 97, "not held"),
        (2.0, 120, "held"),
        (50.0, 115, "not decided here"),
        (0.0, 90, "not held"),
    ],
)
def test_without_dense_tiles_the_bar_is_lower(percent, mkl, said):
    assert product_summary(product(percent, mkl=mkl))["at_least_bar"]["13"][f"{percent:g}"] == said


def test_bandwidth_has_a_bar_from_ten_per_cent_on():
    summary = product_summary(product(5.0) + product(10.0, asafess=50, **{"asafess again": 50}))
    assert summary["bandwidth_at_least_bar"] == {"13": {"10": "held"}}


def test_a_peer_that_failed_is_never_the_fastest_and_its_failures_are_counted():
    found = product(20.0, mkl=None)
    summary = product_summary(found)
    assert summary["best_peer"]["13"]["20"] == "numpy"
    assert failed(found) == ["failed 3 times: mkl, scale 13, percent 20.0, threads 1: broken"]


def test_without_peers_there_is_no_ratio():
    only = [r for r in product(20.0) if r["arm"] not in ("numpy", "mkl")]
    summary = product_summary(only)
    assert "ratio_vs_best_peer" not in summary
    assert "ratio_vs_dense" not in summary
    assert summary["bandwidth_fraction"]["13"]["20"] == pytest.approx(0.8)


def test_blocks_of_vectors_are_kept_apart():
    summary = product_summary(product(20.0) + product(20.0, columns=8, mkl=200))
    assert summary["ratio_vs_best_peer"]["13"]["20"] == pytest.approx(1.3)
    assert summary["ratio_vs_best_peer_block"]["13"]["20"] == pytest.approx(2.0)
    assert summary["ratio_vs_best_peer_block_interval"]["13"]["20"] == pytest.approx([2.0, 2.0])


def recoding(fate, form, density, us, nnz):
    times = {"np.sum": 100, "np.sum again": 100, "np.sum of the panel": 50, "recode": us}
    return rows(times, fate=fate, form=form, dtype="float64", tile=128, density=density, nnz=nnz)


def test_non_zeros_of_a_candidate_are_paid_apart():
    summary = compression_summary(recoding("candidates", "full", 0.001, 150, nnz=2000))
    where = ("float64", "128", "0.001")
    assert at(summary["compress_over_read"], where) == pytest.approx(1.5)
    assert at(summary["compress_over_one_sum"], where) == pytest.approx(3.0)
    # 150 µs − 2000 · 20 ns = 110 µs, of 120 µs
    assert at(summary["over_bar"], where) == pytest.approx(110 / 120)
    assert at(summary["over_bar_at_most_1"], where) == "held"
    more = compression_summary(recoding("candidates", "full", 0.001, 150, nnz=200))
    assert at(more["over_bar_at_most_1"], where) == "not held"


def test_what_is_passed_over_is_kept_by_form():
    summary = compression_summary(
        recoding("passed over", "light", 0.5, 40, nnz=9000) + recoding("passed over", "full", 1.0, 60, nnz=9000)
    )
    assert at(summary["passed_over"], ("light", "float64", "128", "0.5")) == pytest.approx(0.4)
    assert at(summary["passed_over_at_most_half"], ("light", "float64", "128", "0.5")) == "held"
    assert at(summary["passed_over_at_most_half"], ("full", "float64", "128", "1")) == "not held"
    assert counted(summary, "passed_over_at_most_half") == "passed_over_at_most_half: 1 held, 1 not held"


def at(table, path):
    for key in path:
        table = table[key]
    return table


def test_the_tables_hold_every_matrix_and_every_panel():
    found = product(0.0) + product(20.0) + product(20.0, columns=8, mkl=None)
    more = recoding("candidates", "full", 0.001, 150, 2000) + recoding("passed over", "light", 0.5, 40, 9000)
    summary = product_summary(found) | compression_summary(more)
    said = []
    print_all(found + more, summary, said.append)
    text = "\n".join(said)
    lines = [line for line in text.splitlines() if line.startswith("13, ")]
    assert [line.split("  ")[0] for line in lines] == ["13, 0", "13, 20", "13, 0", "13, 20", "13, 20", "13, 20"]
    assert "1.30 to 1.30" in lines[3]
    assert "3.00 to 3.00" in lines[5]  # the block's: NumPy, as MKL failed
    assert "float64, tile 128  1.50" in text
    assert "failed 3 times: mkl, scale 13, percent 20.0, columns 8" in text
    assert "at_least_bar: 2 held" in text
