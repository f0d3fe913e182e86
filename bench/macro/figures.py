"""The pictures. Lines against clients for the paper's figures 7 to 11, bars where all servers meet at one number of
clients. A server has the same marker and grey in every picture, a cold cache is dashed and hollow, a warm one solid
and filled: nothing is told by colour alone. Legends stand below the panels, where no line is. Medians; where there
were rounds, a whisker from the least to the greatest. matplotlib is asked for here alone, and pictures are text
(SVG)."""

import io

from .failure import Unavailable
from .plan import BLOCKING, LAIO

WIDTH_IN = 9
THTTPD = ("thttpd-NB-B", "thttpd-LAIO-LAIO")
FIGURES = {  # figure: its servers, and its panels: (workload, metric)
    7: (THTTPD + (BLOCKING, LAIO), (("berkeley", "megabits_per_s"), ("berkeley", "response_ms"))),
    8: (THTTPD + (BLOCKING, LAIO), (("rice", "megabits_per_s"), ("rice", "response_ms"))),
    9: (("Flash-NB-LAIO", LAIO), (("berkeley", "megabits_per_s"), ("rice", "megabits_per_s"))),
    10: (("Flash-NB-AIO", LAIO), (("berkeley", "megabits_per_s"), ("rice", "megabits_per_s"))),
    11: (("Flash-NB-AMPED", "Flash-NB-AMTED", LAIO), (("berkeley", "megabits_per_s"), ("rice", "megabits_per_s"))),
}
AXES = {"megabits_per_s": "throughput (Mb/s)", "response_ms": "mean response time (ms)",
        "requests_per_s": "requests/s", "cpu_us_per_request": "CPU time of the server (us a request)",
        "probe_p99_ms": "the probe's 99th percentile (ms)"}
LOOKS = {  # marker and grey
    LAIO: ("o", "0.0"), BLOCKING: ("s", "0.45"), "thttpd-LAIO-LAIO": ("^", "0.25"), "thttpd-NB-B": ("v", "0.6"),
    "Flash-NB-LAIO": ("D", "0.45"), "Flash-NB-AIO": ("P", "0.45"), "Flash-NB-AMPED": ("X", "0.3"),
    "Flash-NB-AMTED": ("*", "0.6"),
}


def plotting():
    """matplotlib without a screen."""
    try:
        import matplotlib
    except ImportError:
        raise Unavailable("pictures need matplotlib (Debian: python3-matplotlib; scripts/install-packages)") from None
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams.update({"svg.hashsalt": "laio", "svg.fonttype": "none", "font.size": 10,
                                "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False,
                                "axes.grid": True, "grid.color": "0.88", "axes.axisbelow": True})
    return pyplot


def legend_below(figure, handles, names, columns):
    figure.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False, fontsize=9,
                  handlelength=3.2)


def as_svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plotting().close(figure)
    return text.getvalue()


def curve(observations, workload, server, kind, metric):
    """(clients, summary) of one server, in the order of clients."""
    points = [(place[3], observations.summary(place, server, metric))
              for place in observations.places(experiment=workload, disk="ext4", kind=kind)]
    return [(clients, point) for clients, point in points if point]


def draw_line(axes, points, server, kind):
    marker, grey = LOOKS.get(server, (".", "0.5"))
    is_warm = kind == "warm"
    clients, middles = [one for one, _ in points], [point["median"] for _, point in points]
    whiskers = [[point["median"] - point["min"] for _, point in points],
                [point["max"] - point["median"] for _, point in points]]
    axes.errorbar(clients, middles, yerr=whiskers if any(map(any, whiskers)) else None, capsize=2, elinewidth=0.8,
                  color=grey, marker=marker, markersize=7 if marker == "*" else 6, linewidth=1.5,
                  linestyle="-" if is_warm else (0, (4, 2)), markerfacecolor=grey if is_warm else "white",
                  label=f"{server}, {kind}")


def clients_axis(axes, observations, workload):
    numbers = sorted({place[3] for place in observations.places(experiment=workload, disk="ext4")})
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.minorticks_off()
    axes.set_xlabel("clients")


def lines(observations, number):
    """A figure of the paper; None where fewer than two numbers of clients were measured."""
    servers, panels = FIGURES[number]
    drawn = {}
    pyplot = plotting()
    figure, all_axes = pyplot.subplots(1, 2, figsize=(WIDTH_IN, 3.7), layout="constrained")
    is_a_line = False
    for axes, letter, (workload, metric) in zip(all_axes, "ab", panels):
        for server in servers:
            for kind in ("cold", "warm"):
                points = curve(observations, workload, server, kind, metric)
                is_a_line = is_a_line or len(points) > 1
                if points:
                    draw_line(axes, points, server, kind)
        clients_axis(axes, observations, workload)
        axes.set_ylabel(AXES[metric])
        axes.set_ylim(bottom=0)
        axes.set_title(f"({letter}) {workload.capitalize()}", loc="left", fontsize=10)
        handles, names = axes.get_legend_handles_labels()
        drawn.update(zip(names, handles))
    if not is_a_line:
        pyplot.close(figure)
        return None
    legend_below(figure, drawn.values(), drawn.keys(), min(4, max(len(drawn) // 2, 1)))
    return as_svg(figure)


def bars(observations, places, metrics, servers):
    """All servers where they met: a panel for each metric, in each a bar for each place (cold and warm, or disks).
    Ordered by the first metric; a logarithmic axis where values span more than a factor of thirty."""
    pyplot = plotting()
    names = sorted(servers, key=lambda name: observations.value(places[0], name, metrics[0]) or 0)
    height_in = 0.9 + 0.28 * len(names) * len(places) ** 0.5
    figure, all_axes = pyplot.subplots(1, len(metrics), figsize=(WIDTH_IN, height_in), layout="constrained",
                                       sharey=True, squeeze=False)
    looks = (("0.35", ""), ("0.8", "////"), ("1.0", "...."))
    height = 0.8 / len(places)
    for axes, metric in zip(all_axes[0], metrics):
        shown = []
        for i, place in enumerate(places):
            values = [observations.value(place, name, metric) or 0 for name in names]
            grey, hatch = looks[i % len(looks)]
            at = [row + 0.8 - height * (i + 0.5) for row in range(len(names))]
            axes.barh(at, values, height, color=grey, hatch=hatch, edgecolor="0.2", linewidth=0.6,
                      label=difference_text(place, places))
            for row, value in zip(at, values):
                if value:
                    axes.annotate(number_text(value), (value, row), xytext=(3, 0), textcoords="offset points",
                                  va="center", fontsize=7)
            shown += [value for value in values if value]
        axes.set_yticks([row + 0.4 for row in range(len(names))], names)
        axes.set_xlabel(AXES[metric])
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.14)
        axes.set_ylim(-0.2, len(names))
        if shown and max(shown) > 30 * min(shown):
            axes.set_xscale("log")
            axes.set_xlim(min(shown) / 2, max(shown) * 3)
        axes.xaxis.set_major_formatter(lambda value, _: number_text(value) if value else "0")
    if len(places) > 1:
        handles, labels = all_axes[0][0].get_legend_handles_labels()
        legend_below(figure, handles, labels, len(places))
    return as_svg(figure)


def difference_text(place, places):
    """What distinguishes this place from the others of a picture."""
    parts = []
    for index, unit in ((2, ""), (3, " clients"), (5, " cache")):
        if len({one[index] for one in places}) > 1:
            parts.append(f"{place[index]}{unit}")
    return ", ".join(parts)


def number_text(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio_bars(observations, places, ours, rivals):
    """Ours by each rival's, with the bounds of the ratio, at each place."""
    pyplot = plotting()
    rows = [(f"{place[1].name}, {place[3]} clients", rival, ratio) for place in places for rival in rivals
            if (ratio := observations.ratio(place, ours, rival))]
    if not rows:
        return None
    figure, axes = pyplot.subplots(figsize=(WIDTH_IN, 0.9 + 0.26 * len(rows)), layout="constrained")
    markers = dict(zip(rivals, "osD^v"))
    for at, (_, rival, ratio) in enumerate(reversed(rows)):
        low, high = (ratio["lower"] or ratio["ratio"]), (ratio["upper"] or ratio["ratio"])
        axes.errorbar(ratio["ratio"], at, xerr=[[ratio["ratio"] - low], [high - ratio["ratio"]]], capsize=3,
                      color="0.1", marker=markers[rival], markerfacecolor="white", linestyle="none")
    axes.axvline(1, color="0.3", linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{where}, against {rival}" for where, rival, _ in reversed(rows)])
    axes.set_xlabel(f"requests/s of {ours} by the other's (median of pairs, bounds of 95 %)")
    return as_svg(figure)
