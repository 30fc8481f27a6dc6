"""Quick views of answers: what is drawn, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import lancesql
from lancesql.execution.results.plots.choose import draw_plot
from lancesql.execution.results.plots.vectors import project_vectors

pytest.importorskip("matplotlib")


def vectors(numbers):
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel().astype("f4")), numbers.shape[1])


def find_points(plot):
    return np.concatenate([np.asarray(one.get_offsets()) for one in plot.axes.collections])


def plot(table, kind=None, column=None, color=None, axes=None):
    drawn = draw_plot(table, kind, column, color, axes)
    bundle, sizes = drawn._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBOR")
    assert sizes["image/png"]["width"] > 100
    return drawn


def test_the_bars_of_a_distribution_count_every_number():
    numbers = [*np.random.default_rng(0).normal(size=500).tolist(), None, float("nan"), float("inf")]
    drawn = plot(pa.table({"id": range(503), "_distance": pa.array(numbers, pa.float32())}))
    assert sum(bar.get_height() for bar in drawn.axes.patches) == 500
    assert drawn.axes.get_title(loc="left") == "_distance of 500 rows, 3 without a number"
    (line,) = drawn.axes.lines
    assert line.get_xdata()[0] == pytest.approx(np.median(numbers[:500]), rel=1e-6)


@pytest.mark.parametrize("values", [[5], [1, 1, 1], [None, 2]])
def test_few_numbers(values):
    drawn = plot(pa.table({"n": values}), column="n")
    assert sum(bar.get_height() for bar in drawn.axes.patches) == len([one for one in values if one is not None])


def test_points_are_the_projection_and_keep_distances_in_the_plane():
    random = np.random.default_rng(1)
    flat = random.normal(size=(60, 2)) @ np.linalg.qr(random.normal(size=(16, 2)))[0].T
    drawn = plot(pa.table({"v": vectors(flat)}))
    points = find_points(drawn)
    assert len(points) == 60
    asked = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    assert np.linalg.norm(points[:, None] - points[None], axis=2) == pytest.approx(asked, abs=1e-4)
    assert "100% of their variance" in drawn.axes.get_title(loc="left")


def test_the_projection_is_that_of_the_principal_components():
    decomposition = pytest.importorskip("sklearn.decomposition")
    data = np.random.default_rng(2).normal(size=(300, 12)) * np.linspace(3, 0.1, 12)
    points, shares = project_vectors(data)
    expected = decomposition.PCA(2, svd_solver="full").fit(data)
    assert np.abs(points) == pytest.approx(np.abs(expected.transform(data)), abs=1e-9)
    assert shares == pytest.approx(expected.explained_variance_ratio_)


@pytest.mark.parametrize("shape", [(2, 1), (2, 3), (5, 1), (3, 40)])
def test_few_vectors_of_any_length(shape):
    points, shares = project_vectors(np.arange(shape[0] * shape[1], dtype=float).reshape(shape))
    assert points.shape == (shape[0], 2)
    assert np.isfinite(points).all()
    assert 0.99 < shares.sum() < 1.01
    assert project_vectors(np.ones((4, 3)))[1].tolist() == [0, 0]


def test_vectors_that_cannot_be_drawn_are_left_out():
    table = pa.table({"v": [[1.0, 2.0], None, [float("nan"), 0.0], [3.0, 1.0], []], "c": ["a", "b", "c", "d", "e"]})
    drawn = plot(table, color="c")
    assert len(find_points(drawn)) == 2
    assert "2 vectors of 5 rows" in drawn.axes.get_title(loc="left")
    assert [text.get_text() for text in drawn.axes.get_legend().get_texts()] == ["a", "d"]


def test_colours_are_the_values():
    data = vectors(np.random.default_rng(3).normal(size=(200, 4)))
    kinds = [f"k{i % 12}" if i % 12 else None for i in range(200)]
    drawn = plot(
        pa.table({"v": data, "kind": kinds, "n": range(200), "few": [i % 3 for i in range(200)]}), color="kind"
    )
    labels = [text.get_text() for text in drawn.axes.get_legend().get_texts()]
    assert labels[0] == "3 others"
    assert len(labels) == 10
    assert sum(len(one.get_offsets()) for one in drawn.axes.collections) == 200
    many = plot(pa.table({"v": data, "n": [None, *range(199)]}), color="n")
    assert many.axes.get_legend() is None
    assert [len(one.get_offsets()) for one in many.axes.collections] == [1, 199]
    few = plot(pa.table({"v": data, "few": [i % 3 * 5 for i in range(200)]}), color="few")
    assert [text.get_text() for text in few.axes.get_legend().get_texts()] == ["0", "5", "10"]


def test_many_points_are_thinned_out():
    drawn = plot(pa.table({"v": vectors(np.random.default_rng(4).normal(size=(45_000, 3)))}))
    assert len(find_points(drawn)) == 15_000
    assert "15,000 vectors of 45,000 rows" in drawn.axes.get_title(loc="left")


def test_the_kind_follows_from_what_there_is():
    data = vectors(np.eye(4))
    both = pa.table({"_score": [1.0, 2.0, 3.0, 4.0], "v": data, "c": list("abcd")})
    assert plot(both).axes.get_xlabel() == "_score"
    assert plot(both, color="c").axes.get_xlabel().startswith("first principal")
    assert plot(both, column="v").axes.get_xlabel().startswith("first principal")
    assert plot(both, "vectors").axes.get_xlabel().startswith("first principal")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "score"}, "no plot 'score'.*did you mean 'scores'"),
        ({"column": "nme"}, "no column 'nme'.*did you mean 'name'"),
        ({"column": "twice"}, "2 columns 'twice'"),
        ({"column": "name"}, "holds no numbers"),
        ({"column": "n", "kind": "vectors"}, "holds no vectors"),
        ({"kind": "vectors"}, "there are several: v, w"),
        ({"kind": "scores"}, "no scores to draw"),
        ({"column": "ragged"}, "differ in their length"),
        ({"column": "nothing"}, "fewer than two vectors"),
        ({"column": "nan"}, "no numbers to draw"),
        ({"column": "n", "color": "name"}, "no colours"),
    ],
)
def test_what_is_refused(options, message):
    names = ["name", "n", "v", "w", "ragged", "nothing", "nan", "twice", "twice"]
    pair = [[1.0, 2.0], [3.0, 4.0]]
    nan = pa.array([None, float("nan")], pa.float64())
    columns = [
        ["a", "b"],
        [1, 2],
        pair,
        pair,
        [[1.0], [1.0, 2.0]],
        pa.nulls(2, pa.list_(pa.float32())),
        nan,
        [1, 1],
        [1, 1],
    ]
    table = pa.table(list(map(pa.array, columns)), names=names)
    if options.get("kind") != "vectors" and options.get("column") in (None, "nothing", "ragged"):
        table = table.drop_columns(["v", "w"])
    with pytest.raises(lancesql.LanceSQLError, match=f"(?s){message}"):
        draw_plot(table, options.get("kind"), options.get("column"), options.get("color"), None)


def test_on_axes_of_ones_own_and_to_a_file(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    with lancesql.connect() as db:
        rows = db.sql("SELECT i / 10 AS _distance, [i, i % 7]::FLOAT[2] AS v FROM range(50) AS t(i)")
        assert rows.plot(axes=left).axes is left
        drawn = rows.plot("vectors", axes=right)
    assert len(find_points(drawn)) == 50
    drawn.save(tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text()
