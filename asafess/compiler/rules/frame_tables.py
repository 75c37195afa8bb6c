"""What operations of pandas objects cost and make, by name.

An entry is (kind, operations per element of eight bytes, what the result is like). What it is like:

- *same*: as many rows and bytes; *mask*: a byte for each value
- *small*: a value for each column; *row*: a row of such; *tiny*: some values, however large the input
- *some*: as many rows as the data will have it, at most those there are; *any*: even more than those
- *groups*: the same, with columns that nobody knows
- *join*: all inputs together, one below the other; *beside*: next to each other
- *column*: a value of 8 bytes for each row, *short* of 4, *truth* of 1
- *first*: like the first input; *split*: pieces
"""

from __future__ import annotations

from asafess.compiler.operation_counts import each

Entry = tuple[str, float, str]

#: a hash, a probe, and an update: whatever groups rows or looks for equal ones
HASHED: Entry = ("frame", 40.0, "some")
#: the same where what comes out has other columns
GROUPED: Entry = ("frame", 40.0, "groups")
#: the same where rows are looked up in something else, one by one
PROBED: Entry = ("frame", 40.0, "same")
#: texts are looked at one by one
TEXT: Entry = ("elementwise", 40.0, "same")

#: method of pandas objects → entry
FRAME_METHODS: dict[str, Entry] = {
    **each("fillna abs clip where mask replace ffill bfill add sub mul div truediv", ("elementwise", 1.0, "same")),
    **each("radd rsub rmul rdiv rtruediv combine_first", ("elementwise", 1.0, "same")),
    **each("floordiv mod rfloordiv rmod", ("elementwise", 4.0, "same")),
    "round": ("elementwise", 3.0, "same"),
    "diff": ("elementwise", 1.0, "same"),
    **each("isna isnull notna notnull lt le gt ge eq ne", ("elementwise", 1.0, "mask")),
    "between": ("elementwise", 3.0, "mask"),
    "isin": ("frame", 40.0, "mask"),
    "duplicated": ("frame", 40.0, "mask"),
    **each("sum mean min max count prod any all", ("reduction", 1.0, "small")),
    **each("idxmin idxmax", ("reduction", 1.0, "small")),
    **each("var std sem", ("reduction", 4.0, "small")),
    **each("skew kurt kurtosis", ("reduction", 7.0, "small")),
    "nunique": ("frame", 40.0, "small"),
    **each("cumsum cumprod cummax cummin", ("reduction", 20.0, "same")),
    **each("sort_values sort_index rank", ("sort", -1.0, "same")),
    **each("drop_duplicates", HASHED),
    **each("value_counts unique mode", GROUPED),
    **each("dropna query", ("frame", 2.0, "some")),
    **each("copy shift reindex", ("moving", 0.0, "same")),
    **each("memory_usage", ("view", 0.0, "small")),
    **each("to_series squeeze", ("view", 0.0, "same")),
    **each("melt explode", ("moving", 0.0, "any")),
}

#: function of Dask's dataframes, by its last name or by its class and name → entry
FUNCTIONS: dict[str, Entry] = {
    **each("_concat concat", ("moving", 0.0, "join")),
    "ConcatIndexed.operation": ("moving", 0.0, "beside"),
    "partitioning_index": ("frame", 100.0, "column"),
    "set_partitions_pre": ("sort", 60.0, "column"),
    # a mean, a difference, its square, two sums, without those that are missing
    **each("Var.chunk Moment.chunk", ("reduction", 7.0, "tiny")),
    **each("Var.aggregate Var.combine Moment.aggregate Moment.combine", ("reduction", 7.0, "small")),
    **each(
        "wrap_var_reduction var_mixed_concat index_count reduction_aggregate",
        ("reduction", 1.0, "small"),
    ),
    "mean_aggregate": ("elementwise", 1.0, "same"),
    **each("DescribeNumericAggregate.operation describe_numeric_aggregate", ("reduction", 1.0, "tiny")),
    # the columns with each other, and the means that are taken off first
    **each("_cov_corr_chunk", ("linalg", 40.0, "tiny")),
    **each("_cov_corr_combine _cov_corr_agg", ("reduction", 7.0, "tiny")),
    **each("idxmaxmin_chunk idxmaxmin_combine idxmaxmin_agg", ("reduction", 2.0, "row")),
    **each("_mode_aggregate value_counts_combine value_counts_aggregate unique", GROUPED),
    # a hash of each element, and where its leading zeros begin
    "compute_hll_array": ("frame", 100.0, "tiny"),
    **each("reduce_state estimate_count", ("reduction", 1.0, "tiny")),
    **each("monotonic_increasing_chunk monotonic_decreasing_chunk", ("reduction", 1.0, "tiny")),
    **each("_monotonic_combine _monotonic_aggregate total_mem_usage", ("reduction", 1.0, "tiny")),
    "drop_columns": ("view", 0.0, "same"),
    # texts are looked for in each column
    "_to_string_dtype": ("elementwise", 1.0, "same"),
    "fillna_check": ("elementwise", 1.0, "same"),
    "assign_index": ("view", 0.0, "same"),
    "sample": ("moving", 1.0, "some"),
    "pd_split": ("moving", 5.0, "split"),
    "_categorize_block": PROBED,
    "ToDatetime.operation": ("elementwise", 2.0, "same"),
    "ToNumeric.operation": ("elementwise", 2.0, "same"),
    "GetDummies.operation": ("frame", 2.0, "any"),
    **each("pivot_sum pivot_count pivot_first pivot_last pivot_agg pivot_agg_first pivot_agg_last", GROUPED),
    # a step of a sum for what comes in and one for what goes out, and looking for what is missing
    "_rolling_agg": ("reduction", 60.0, "same"),
    **each(
        "loc try_loc boundary_slice drop_overlap get_overlap _tail_timedelta _head_timedelta", ("moving", 0.0, "some")
    ),
    "_resample_series": ("frame", 40.0, "some"),
    "_cum_agg_filled": ("frame", 40.0, "join"),
    **each("cumulative_wrapper cumsum_aggregate cumprod_aggregate", ("elementwise", 1.0, "same")),
    **each("cummax_aggregate cummin_aggregate", ("elementwise", 1.0, "same")),
    **each("cumulative_wrapper_intermediate TakeLast.operation", ("reduction", 1.0, "tiny")),
    **each("merge_asof_padded merge_asof", ("frame", 40.0, "first")),
    "most_recent_tail": ("view", 0.0, "tiny"),
}

#: accessor of a series → name of what it does → entry; others of `str` are `TEXT`, of `dt` have no rule
ACCESSORS: dict[str, dict[str, Entry]] = {
    "str": {
        **each(
            "contains startswith endswith match fullmatch isdigit isalpha isnumeric",
            ("elementwise", 200.0, "truth"),
        ),
        **each("len count find", ("elementwise", 20.0, "column")),
        **each("upper lower title capitalize strip lstrip rstrip replace slice swapcase zfill pad", TEXT),
    },
    # a date from a number of nanoseconds: divisions, and a table of months
    "dt": {
        **each(
            "year month day hour minute second dayofweek weekday dayofyear quarter",
            ("elementwise", 60.0, "short"),
        ),
        **each("floor ceil round normalize", ("elementwise", 20.0, "same")),
        **each("days seconds microsecond nanosecond", ("elementwise", 20.0, "short")),
        **each("tz_localize tz_convert total_seconds", ("elementwise", 2.0, "same")),
    },
    "cat": {"codes": ("view", 0.0, "same")},
}
