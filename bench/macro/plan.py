"""Which cells are measured, and in which order. Cells of one block (experiment, disk, clients, round) are compared
with one another: they come one after another, shuffled, so that no server always has the better minute; blocks are
shuffled as well. The seed makes the order repeatable; it does not change which cells there are."""

import collections
import itertools
import random

from .cell import Cell, Workload
from .workload import MEMORY_SHARES

LAIO, BLOCKING = "Flash-LAIO-LAIO", "Flash-NB-B"
PAPER = ("thttpd-NB-B", "thttpd-LAIO-LAIO", BLOCKING, LAIO, "Flash-NB-LAIO", "Flash-NB-AIO", "Flash-NB-AMPED",
         "Flash-NB-AMTED")
TODAY = ("Flash-NB-URING", "Flash-URING-URING")
PEERS = ("nginx", "nginx-cache", "nginx-threads-16", "nginx-threads-64", "nginx-workers-8", "nginx-workers-16",
         "lighttpd", "h2o", "apache", "caddy")
RIVALS = (LAIO, BLOCKING, "Flash-NB-AIO", "Flash-NB-AMPED", "Flash-NB-AMTED", "nginx", "nginx-threads-64",
          "nginx-workers-64")
BOTH = ("cold", "warm")
SLOW_DISKS = ("hdd", "flash", "lookups")
SLOW_LOOKUPS_S = 10
NEIGHBOURS = 5  # rounds, so that a ratio has a bound


def cells(servers, workload, *, rounds=1, **fields):
    """One cell for each server and round. Berkeley's and Rice's memory is as in the paper, in proportion."""
    fields.setdefault("memory", MEMORY_SHARES.get(workload.kind))
    return [Cell(server, workload, round=number, **fields) for number in range(rounds) for server in servers]


def again(cell_list, server=LAIO):
    """The same server a second time in each block: the A/A test."""
    return [Cell(**dict(vars(one), is_again=True)) for one in cell_list if one.server == server]


def smallest():
    """For `make test`: says nothing about speed. Its memory is limited, yet so that a server with a sanitizer fits."""
    return cells((LAIO, BLOCKING), flat(16 << 10, 64, 2000), clients=4, passes=BOTH, memory=600, experiment="smallest")


def quick():
    """Five cells, three minutes: who waits for a disk, and what it costs."""
    return cells((LAIO, BLOCKING, "Flash-NB-AMPED", "nginx", "nginx-threads-64"), Workload("berkeley", 0.05),
                 experiment="berkeley")


def figures(scale, clients, rounds):
    """The paper's figures 7 to 11: eight servers, two workloads, cold and warm."""
    result = []
    for kind, number in itertools.product(MEMORY_SHARES, clients):
        result += cells(PAPER, Workload(kind, scale[kind]), clients=number, passes=BOTH, experiment=kind, rounds=rounds)
    return result


def slow(scale, clients, rounds, servers=RIVALS):
    """Disks made of software, a probe beside the load. Where each name takes 10 ms, every file is asked for about
    once, for as long as its loop lets each server: to the end of a trace, some would take fifty times as long as
    others."""
    options = ("requests=1100000", "folder_depth=2", "files_per_folder=100")
    names = Workload("metadata", scale["lookups"], options=options)
    result = []
    for number in clients:
        shared = {"clients": number, "probe": True, "experiment": "slow", "rounds": rounds}
        for disk in ("hdd", "flash"):
            result += cells(servers, Workload("berkeley", scale[disk]), disk=disk, **shared)
        result += cells(servers, names, disk="lookups", seconds=SLOW_LOOKUPS_S, memory=0.25, **shared)
    return result


def standard():
    """About a hundred cells, an hour."""
    scale = {"berkeley": 0.05, "rice": 0.4, "hdd": 0.015, "flash": 0.015, "lookups": 0.1}
    berkeley = Workload("berkeley", scale["berkeley"])
    beside = cells(TODAY + PEERS, berkeley, passes=BOTH, experiment="berkeley")
    sweep = [one for helpers in (4, 16) for one in
             cells(("Flash-NB-AMPED", "Flash-NB-AMTED"), berkeley, disk_concurrency=helpers, experiment="berkeley",
                   passes=BOTH)]
    sweep += cells(("nginx-threads-4",), berkeley, experiment="berkeley", passes=BOTH)
    paper = figures(scale, (16, 64, 256), 1)
    twice = again([one for one in paper if one.clients == 64])
    read_ahead = cells((LAIO, BLOCKING, "Flash-NB-AMPED", "nginx-threads-64"), berkeley, disk="ext4-ra128",
                       experiment="berkeley")
    return paper + beside + sweep + twice + read_ahead + slow(scale, (64,), 1)


def full():
    """Everything, with rounds enough for bounds: most of a day."""
    scale = {"berkeley": 0.1, "rice": 0.5, "hdd": 0.05, "flash": 0.05, "lookups": 0.1}
    paper = figures(scale, (1, 4, 16, 64, 256, 1024), NEIGHBOURS)
    berkeley = Workload("berkeley", scale["berkeley"])
    result = paper + again([one for one in paper if one.clients == 64])
    for number in (16, 64, 256):
        result += cells(TODAY + PEERS, berkeley, clients=number, passes=BOTH, experiment="berkeley", rounds=NEIGHBOURS)
    for helpers in (4, 16):
        result += cells(("Flash-NB-AMPED", "Flash-NB-AMTED"), berkeley, disk_concurrency=helpers, passes=BOTH,
                        experiment="berkeley", rounds=NEIGHBOURS)
    result += cells(PAPER + PEERS, berkeley, disk="ext4-ra128", experiment="berkeley", rounds=NEIGHBOURS)
    return result + slow(scale, (16, 64, 256), NEIGHBOURS, PAPER + PEERS + ("nginx-workers-64",))


def flat(file_bytes, files, requests):
    """Equal files, all alike popular, a hundred requests to a connection."""
    values = {"mean_file_bytes": file_bytes, "footprint_bytes": file_bytes * files, "requests": requests,
              "sequence_mean_requests": 100}
    return Workload("flat", options=tuple(f"{name}={value}" for name, value in values.items()))


def warm():
    """In memory, in pairs: LAIO beside the plain loop and nginx, nine rounds, so that 0.97 can be told from 1."""
    result = []
    sizes = (flat(1 << 10, 1000, 200_000), flat(64 << 10, 500, 50_000), flat(1 << 20, 64, 5_000))
    for workload, number in itertools.product(sizes, (16, 256, 1000)):
        block = cells((LAIO, BLOCKING, "nginx-cache"), workload, clients=number, passes=BOTH, experiment="in memory",
                      rounds=9)
        result += block + (again(block) if number == 256 else [])
    return result


def cold():
    """Four times the memory, 64 KB at random, ext4."""
    workload = flat(64 << 10, 4000, 30_000)
    result = []
    for number in (16, 64, 256):
        block = cells(RIVALS, workload, clients=number, memory=0.25, experiment="out of memory", rounds=NEIGHBOURS)
        result += block + (again(block) if number == 64 else [])
    return result


def sensitivity():
    """What Table 2 leaves open, each parameter alone below and above its default."""
    values = {"mean_file_bytes": (10_000, 40_000), "tail_index": (0.9, 1.4), "zipf_exponent": (0.7, 1.2),
              "repeat_probability": (0, 0.5), "sequence_mean_requests": (2, 32), "folder_depth": (1, 8)}
    changes = [()] + [(f"{name}={value}",) for name, both in values.items() for value in both]
    return [one for change in changes for one in
            cells((LAIO, BLOCKING, "Flash-NB-AMPED"), Workload("berkeley", 0.05, options=change),
                  experiment="sensitivity")]


PLANS = {"smallest": smallest, "quick": quick, "standard": standard, "full": full, "warm": warm, "cold": cold,
         "sensitivity": sensitivity}


def block_of(cell):
    return cell.experiment, cell.workload, cell.disk, cell.clients, cell.round


def ordered(cell_list, seed):
    """Blocks in random order, and the cells in each."""
    source = random.Random(seed)
    blocks = collections.defaultdict(list)
    for cell in cell_list:
        blocks[block_of(cell)].append(cell)
    shuffled = list(blocks.values())
    source.shuffle(shuffled)
    for block in shuffled:
        source.shuffle(block)
    return [cell for block in shuffled for cell in block]


def estimate_s(cell_list):
    """Before anything is known: what cells like these took on two cores, the making of trees left out."""
    return sum(6 + 14 * len(cell.passes) for cell in cell_list)
