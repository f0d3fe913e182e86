"""The pictures. Lines against clients for the paper's figures 7 to 11, each with throughput above and response time
below, and the peers' lines beside ours; bars where all servers meet at one number of clients. A server has the same
marker and line in every picture: nothing is told by colour alone. Ours have filled markers, the peers' are hollow.
Legends stand below the panels, where no line is. Medians; where there were rounds, a whisker from the least to the
greatest. matplotlib is asked for here alone, and pictures are text (SVG)."""

import io
import itertools
import re

from . import architecture, peers
from .failure import Unavailable
from .plan import BLOCKING, LAIO

WIDTH_IN = 10
LINES_MAX = 12
LOG_FROM = 20  # an axis on which the greatest is so many times the least is logarithmic
THTTPD = ("thttpd-NB-B", "thttpd-LAIO-LAIO")
FIGURES = {  # figure: its servers and its workloads
    7: (THTTPD + (BLOCKING, LAIO), ("berkeley",)),
    8: (THTTPD + (BLOCKING, LAIO), ("rice",)),
    9: (("Flash-NB-LAIO", LAIO), ("berkeley", "rice")),
    10: (("Flash-NB-AIO", LAIO), ("berkeley", "rice")),
    11: (("Flash-NB-AMPED", "Flash-NB-AMTED", LAIO), ("berkeley", "rice")),
}
AXES = {"megabits_per_s": "throughput (Mb/s)", "response_ms": "mean response time (ms)",
        "requests_per_s": "requests/s", "cpu_us_per_request": "CPU time of the server (us a request)",
        "probe_p99_ms": "the probe's 99th percentile (ms)"}
SOLID, DASHED, DOTTED, BOTH = "-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5))
LOOKS = {  # marker, colour, line
    LAIO: ("o", "#000000", SOLID), BLOCKING: ("s", "#d55e00", DASHED), "thttpd-LAIO-LAIO": ("^", "#0072b2", SOLID),
    "thttpd-NB-B": ("v", "#56a0d0", DASHED), "Flash-NB-LAIO": ("D", "#009e73", DASHED),
    "Flash-NB-AIO": ("P", "#d55e00", DASHED), "Flash-NB-AMPED": ("X", "#cc3377", DASHED),
    "Flash-NB-AMTED": ("*", "#0072b2", BOTH),
}
PEER_LOOKS = {"nginx": ("o", DOTTED), "lighttpd": ("d", DOTTED), "h2o": ("v", DOTTED), "apache": ("+", BOTH),
              "caddy": ("x", BOTH)}
NGINX_MAX = 4  # lines of nginx in a picture
OTHER_NGINX = (("s", BOTH), ("^", DOTTED), ("<", DOTTED), (">", BOTH), ("p", DOTTED))


def plotting():
    """matplotlib without a screen."""
    try:
        import matplotlib
    except ImportError:
        raise Unavailable("pictures need matplotlib (Debian: python3-matplotlib; scripts/install-packages)") from None
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams.update({"svg.hashsalt": "laio", "svg.fonttype": "none", "font.size": 10,
                                "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
                                "axes.spines.top": False, "axes.spines.right": False,
                                "axes.grid": True, "grid.color": "0.88", "axes.axisbelow": True})
    return pyplot


def legend_below(figure, handles, names, columns):
    figure.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False, fontsize=9,
                  handlelength=3.2)


def as_svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plotting().close(figure)
    return smaller(text.getvalue())


def peer_names(observations, workload, most):
    """Of nginx its plain setting, its best single loop and its best of all (cold, and warm); of the others each."""
    chosen, others = [], set()
    for kind in ("cold", "warm"):
        places = observations.figure_places(workload, kind)
        for place in places[-1:] + places:
            known = [name for name in observations.servers(place) if peers.is_known(name)]
            others.update(name for name in known if peers.family(name) != "nginx")
            nginx = [name for name in known if peers.family(name) == "nginx"]
            best = (observations.best(place, [name for name in nginx if architecture.is_single_loop(name)]),
                    observations.best(place, nginx))
            chosen += [name for name in ("nginx" if "nginx" in nginx else None, *best) if name]
    settings = list(dict.fromkeys(chosen))[:NGINX_MAX]
    return [*settings, *sorted(others)][:most]


def look_of(server, names):
    """Marker, colour, line and width."""
    if server in LOOKS:
        return (*LOOKS[server], 1.6)
    if server in PEER_LOOKS:
        marker, line = PEER_LOOKS[server]
    else:
        settings = [name for name in names if peers.family(name) == "nginx" and name != "nginx"]
        marker, line = OTHER_NGINX[settings.index(server) % len(OTHER_NGINX)] if server in settings else (".", DOTTED)
    return marker, "0.45", line, 1.1


def smaller(svg):
    """Half of what matplotlib writes: without indentation, hundredths of a point, turning by nothing and names that
    nobody refers to; what all markers of a line have in common is said once."""
    svg = re.sub(r"\n\s+|(?<=\d\.\d)\d+| transform=\"rotate\(-0 [^\"]*\"| id=\"[\w.]+_\d+\"",
                 lambda match: "\n" if match[0][0] == "\n" else "", svg)

    def once(match):
        styles = set(re.findall(r'style="[^"]*"', match[2]))
        if len(styles) != 1:
            return match[0]
        style = styles.pop()
        return f"<g{match[1]} {style}>" + match[2].replace(f" {style}", "") + "</g>"
    return re.sub(r"<g( clip-path=[^>]*)>((?:\n<use [^>]*/>)+\n)</g>", once, svg)


def curve(observations, workload, server, kind, metric):
    """(clients, summary) of one server, in the order of clients."""
    points = [(place.clients, observations.summary(place, server, metric))
              for place in observations.figure_places(workload, kind)]
    return [(clients, point) for clients, point in points if point]


def draw_line(axes, points, server, names):
    marker, colour, line, width = look_of(server, names)
    clients, middles = [one for one, _ in points], [point["median"] for _, point in points]
    whiskers = [[point["median"] - point["min"] for _, point in points],
                [point["max"] - point["median"] for _, point in points]]
    axes.errorbar(clients, middles, yerr=whiskers if any(map(any, whiskers)) else None, capsize=2, elinewidth=0.8,
                  color=colour, marker=marker, markersize=7 if marker in "*+x" else 5.5, linewidth=width,
                  linestyle=line, markerfacecolor=colour if server in LOOKS else "white", label=server)


def clients_axis(axes, numbers):
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.minorticks_off()


def value_axis(axes, values):
    """From zero, unless values differ by so much that the small ones could not be told apart."""
    if values and min(values) > 0 and max(values) > LOG_FROM * min(values):
        axes.set_yscale("log")
        axes.set_ylim(min(values) / 1.5, max(values) * 1.5)
        axes.yaxis.set_major_formatter(lambda value, _: number_text(value))
        axes.tick_params(axis="y", which="minor", left=False, labelleft=False)
    else:
        axes.set_ylim(bottom=0)


def lines(observations, number):
    """A figure of the paper: throughput above, response time below, a column for each workload and state of the cache.
    None where fewer than two numbers of clients were measured."""
    ours, workloads = FIGURES[number]
    columns = [(workload, kind) for workload in workloads for kind in ("cold", "warm")
               if any(len(curve(observations, workload, server, kind, "megabits_per_s")) > 1 for server in ours)]
    if not columns:
        plotting()  # says what is missing here as well
        return None
    beside = list(dict.fromkeys(name for workload in workloads
                                for name in peer_names(observations, workload, LINES_MAX - len(ours))))
    names = [*ours, *beside[:LINES_MAX - len(ours)]]
    pyplot = plotting()
    figure, grid = pyplot.subplots(2, len(columns), figsize=(WIDTH_IN, 6), layout="constrained", squeeze=False,
                                   sharex="col")
    drawn = {}
    for row, metric in enumerate(("megabits_per_s", "response_ms")):
        for column, (workload, kind) in enumerate(columns):
            axes, values = grid[row][column], []
            for server in names:
                if points := curve(observations, workload, server, kind, metric):
                    draw_line(axes, points, server, names)
                    values += [point["median"] for _, point in points]
            clients_axis(axes, sorted({place.clients for place in observations.figure_places(workload, kind)}))
            value_axis(axes, values)
            if row == 0:
                axes.set_title(f"{workload.capitalize()}, {kind}", loc="left", fontsize=10)
            else:
                axes.set_xlabel("clients")
            if column == 0:
                axes.set_ylabel(AXES[metric])
            handles, labels = axes.get_legend_handles_labels()
            drawn.update(zip(labels, handles))
    known = [name for name in names if name in drawn]
    legend_below(figure, [drawn[name] for name in known], known, min(4, len(known)))
    return as_svg(figure)


def inversion(observations, places, most=24):
    """The probe's median and 99th percentile of each server, a panel for each disk. Hollow where the load took so
    much of the CPU that the probe waited for that."""
    pyplot = plotting()
    shown = {place: [name for name in observations.servers(place)
                     if observations.value(place, name, "probe_p99_ms") and not name.endswith(" again")]
             for place in places}

    def p99(place, name):
        return observations.value(place, name, "probe_p99_ms")
    order = sorted({name for names in shown.values() for name in names}, reverse=True,
                   key=lambda name: max(p99(place, name) for place, names in shown.items() if name in names))[-most:]
    figure, grid = pyplot.subplots(1, len(places), figsize=(WIDTH_IN, 1.2 + 0.24 * len(order)), layout="constrained",
                                   sharey=True, squeeze=False)
    for axes, place in zip(grid[0], places):
        for at, name in enumerate(order):
            if name not in shown[place]:
                continue
            most_ms, middle_ms = p99(place, name), observations.value(place, name, "probe_p50_ms")
            face = "0.1" if observations.shows_inversion(place, name) else "white"
            if middle_ms:
                axes.plot([middle_ms, most_ms], [at, at], color="0.6", linewidth=1.2, zorder=1)
                axes.plot([middle_ms], [at], "o", color="0.1", markerfacecolor=face, markersize=5)
            axes.plot([most_ms], [at], "D", color="0.1", markerfacecolor=face, markersize=5)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: number_text(value))
        axes.minorticks_off()
        axes.set_title(f"{place.disk}, {place.clients} clients", loc="left", fontsize=10)
        axes.set_xlabel("the probe's response time (ms)")
        axes.margins(x=0.08)
    grid[0][0].set_yticks(range(len(order)), order)
    grid[0][0].set_ylim(-0.7, len(order) - 0.3)
    marks = [pyplot.Line2D([], [], color="0.1", linestyle="none", marker=marker, markerfacecolor=face)
             for marker, face in (("o", "0.1"), ("D", "0.1"), ("D", "white"))]
    legend_below(figure, marks, ("median", "99th percentile", "hollow: the load took 70 % of the CPU or more"), 3)
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
    rows = [(f"{place.workload.name}, {place.clients} clients", rival, ratio) for place in places for rival in rivals
            if (ratio := observations.ratio(place, ours, rival))]
    if not rows:
        return None
    figure, axes = pyplot.subplots(figsize=(WIDTH_IN, 0.9 + 0.26 * len(rows)), layout="constrained")
    markers = dict(zip(rivals, itertools.cycle("osD^v")))
    for at, (_, rival, ratio) in enumerate(reversed(rows)):
        low, high = (ratio["lower"] or ratio["ratio"]), (ratio["upper"] or ratio["ratio"])
        axes.errorbar(ratio["ratio"], at, xerr=[[ratio["ratio"] - low], [high - ratio["ratio"]]], capsize=3,
                      color="0.1", marker=markers[rival], markerfacecolor="white", linestyle="none")
    axes.axvline(1, color="0.3", linewidth=1)
    axes.set_yticks(range(len(rows)), [f"{where}, against {rival}" for where, rival, _ in reversed(rows)])
    axes.set_xlabel(f"requests/s of {ours} by the other's (median of pairs; each bound 95 %, one-sided)")
    return as_svg(figure)
