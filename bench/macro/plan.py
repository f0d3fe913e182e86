"""Which cells are measured, and in which order. Cells of one block (experiment, workload, disk, clients, round) are
compared with one another: they come one after another, shuffled, so that no server always has the better minute; blocks
are shuffled as well. The seed makes the order repeatable; it does not change which cells there are. A block of which a
cell is missing or void is measured again as a whole. Cells know their plan: plans measure the same thing at another
scale, or at another hour."""

import collections
import dataclasses
import itertools
import random

from . import disk_bound
from .cell import Cell, Workload
from .workload import MEMORY_SHARES

LAIO, BLOCKING = "Flash-LAIO-LAIO", "Flash-NB-B"
PAPER = ("thttpd-NB-B", "thttpd-LAIO-LAIO", BLOCKING, LAIO, "Flash-NB-LAIO", "Flash-NB-AIO", "Flash-NB-AMPED",
         "Flash-NB-AMTED")
TODAY = ("Flash-NB-URING", "Flash-URING-URING")
# nginx's cache of open files is as large as laio-httpd's, and most settings have it; without it are one loop, one with
# threads, and one with workers, which shows what it is worth.
NGINX = ("nginx", "nginx-cache", "nginx-threads-4-cache", "nginx-threads-16-cache", "nginx-threads-64-cache",
         "nginx-threads-64", "nginx-workers-8-cache", "nginx-workers-16-cache", "nginx-workers-64-cache",
         "nginx-workers-64")
OTHERS = ("lighttpd", "h2o", "apache", "caddy")
PEERS = NGINX + OTHERS
HELPED = ("Flash-NB-AMPED", "Flash-NB-AMTED")
RIVALS = (LAIO, BLOCKING, "Flash-NB-AIO", *HELPED, "nginx-cache", "nginx-threads-64-cache", "nginx-workers-64-cache")
# Where each name is asked for about once, a cache of names has nothing to give.
LOOKERS_UP = (LAIO, BLOCKING, "Flash-NB-AIO", *HELPED, "nginx-cache", "nginx-threads-64-cache", "nginx-workers-16",
              "nginx-workers-64", *OTHERS)
BOTH = ("cold", "warm")
SLOW_DISKS = ("hdd", "flash", "lookups")
SLOW_LOOKUPS_S = LARGE_S = 10
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
    return cells((LAIO, BLOCKING, "Flash-NB-AMPED", "nginx-cache", "nginx-threads-64-cache"),
                 Workload("berkeley", 0.05), experiment="berkeley")


def figures(scale, clients, rounds):
    """The paper's figures 7 to 11: eight servers, two workloads, cold and warm."""
    result = []
    for kind, number in itertools.product(MEMORY_SHARES, clients):
        result += cells(PAPER, Workload(kind, scale[kind]), clients=number, passes=BOTH, experiment=kind, rounds=rounds)
    return result


def sweep(workload, rounds):
    """How many helpers is best, at one number of clients; 64 are measured anyway. nginx's are among the peers."""
    return [one for helpers in (4, 16) for one in
            cells(HELPED, workload, disk_concurrency=helpers, passes=BOTH, experiment="berkeley", rounds=rounds)]


def large(servers, rounds=1):
    """Files of 8 MB, four times the memory: how near each comes to what the disk can give, which is measured beside
    it."""
    workload = flat(8 << 20, 256, 4000, in_sequence=20)  # so each client has 8 MB of memory
    return cells(servers, workload, memory=0.25, seconds=LARGE_S, disk_bound=True, experiment="large", rounds=rounds)


def slow(scale, clients, rounds, servers=RIVALS, lookers_up=LOOKERS_UP):
    """Disks made of software, a probe beside the load. Where each name takes 20 ms, every file is asked for about
    once, for as long as its loop lets each server: to the end of a trace, some would take fifty times as long as
    others."""
    options = ("requests=1100000", "folder_depth=1", "files_per_folder=1000")  # a name each, few folders
    names = Workload("metadata", scale["lookups"], options=options)
    result = []
    for number in clients:
        shared = {"clients": number, "probe": True, "experiment": "slow", "rounds": rounds}
        for disk in ("hdd", "flash"):
            result += cells(servers, Workload("berkeley", scale[disk]), disk=disk, **shared)
        result += cells(lookers_up, names, disk="lookups", seconds=SLOW_LOOKUPS_S, memory=0.25, **shared)
    return result


def standard():
    """About 110 cells, less than an hour. All rivals and their settings meet on Berkeley with 64 clients."""
    scale = {"berkeley": 0.04, "rice": 0.3, "hdd": 0.015, "flash": 0.015, "lookups": 0.1}
    berkeley, rice = Workload("berkeley", scale["berkeley"]), Workload("rice", scale["rice"])
    beside = cells(TODAY + PEERS, berkeley, passes=BOTH, experiment="berkeley")
    beside += cells(("nginx-cache",), rice, passes=BOTH, experiment="rice")
    paper = figures(scale, (16, 64, 256), 1)
    twice = again([one for one in paper if one.clients == 64])
    read_ahead = cells((LAIO, BLOCKING, "Flash-NB-AMPED", "nginx-threads-64-cache"), berkeley, disk="ext4-ra128",
                       experiment="berkeley")
    largest = large((LAIO, BLOCKING, "Flash-NB-AMPED", "nginx-cache", "nginx-threads-64-cache"))
    return paper + beside + sweep(berkeley, 1) + twice + read_ahead + largest + slow(scale, (64,), 1)


def full():
    """Everything, with rounds enough for bounds: most of a day."""
    scale = {"berkeley": 0.1, "rice": 0.5, "hdd": 0.05, "flash": 0.05, "lookups": 0.1}
    paper = figures(scale, (1, 4, 16, 64, 256, 1024), NEIGHBOURS)
    berkeley = Workload("berkeley", scale["berkeley"])
    result = paper + again([one for one in paper if one.clients == 64])
    for number in (16, 64, 256):
        result += cells(TODAY + PEERS, berkeley, clients=number, passes=BOTH, experiment="berkeley", rounds=NEIGHBOURS)
    result += sweep(berkeley, NEIGHBOURS) + large(RIVALS, NEIGHBOURS)
    result += cells(PAPER + PEERS, berkeley, disk="ext4-ra128", experiment="berkeley", rounds=NEIGHBOURS)
    everyone = PAPER + PEERS
    return result + slow(scale, (16, 64, 256), NEIGHBOURS, everyone, everyone + ("nginx-workers-16",))


def flat(file_bytes, files, requests, in_sequence=100):
    """Equal files, all alike popular, so many requests to a connection. There must be many more sequences than clients,
    or some have nothing to play."""
    values = {"mean_file_bytes": file_bytes, "footprint_bytes": file_bytes * files, "requests": requests,
              "sequence_mean_requests": in_sequence}
    return Workload("flat", options=tuple(f"{name}={value}" for name, value in values.items()))


def warm():
    """In memory, in pairs: LAIO beside the plain loop and nginx, nine rounds, so that 0.97 can be told from 1."""
    result = []
    sizes = (flat(1 << 10, 1000, 200_000, 40), flat(64 << 10, 500, 50_000, 10), flat(1 << 20, 64, 10_000, 2))
    for workload, number in itertools.product(sizes, (16, 256, 1000)):
        block = cells((LAIO, BLOCKING, "nginx-cache"), workload, clients=number, passes=BOTH, experiment="in memory",
                      rounds=9)
        result += block + (again(block) if number == 256 else [])
    return result


def cold():
    """Four times the memory, 64 KB at random, ext4."""
    workload = flat(64 << 10, 4000, 30_000, 20)
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
WITH_OTHERS = ("warm", "cold", "sensitivity")  # have experiments of their own: in every report of the same commit


def of(name):
    """The cells of a plan, each of which knows it."""
    return [dataclasses.replace(one, plan=name) for one in PLANS[name]()]


def reported_with(name):
    """The plans whose results one report may show together: they have no experiment in common."""
    return {name, *WITH_OTHERS}


def block_of(cell):
    return cell.plan, cell.experiment, cell.workload, cell.disk, cell.clients, cell.memory, cell.round


def to_measure(cell_list, is_finished):
    """Those whose block is not finished: who is compared must be from the same minutes."""
    open_blocks = {block_of(one) for one in cell_list if not is_finished(one)}
    return [one for one in cell_list if block_of(one) in open_blocks]


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


AROUND_S, PASS_S = 4, 12  # caches emptied, server and disk started and ended; a pass to the end of a trace


def estimate_s(cell_list):
    """Before anything is known: what cells like these took on two cores, the making of trees left out."""
    return sum(AROUND_S + 2 * disk_bound.SECONDS * one.disk_bound + len(one.passes) * (one.seconds or PASS_S)
               for one in cell_list)
