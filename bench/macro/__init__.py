"""The evaluation of the paper's sections 8 and 9: who is measured, by whom, on which disk, and what came out.

    main        the command line: which plan, how far it is, where the results go
    plan        which cells are measured, in which order          cell        what one cell is
    workload    the tree and the trace of a cell                  disks       where the tree lies
    servers     laio-httpd, started and stopped                   peers       the same for the servers of others
    client      laio-replay                                       cgroup      the server's memory, CPU time
    page_cache  what is in memory before a cell                   memory_limit how much the server may keep there
    cpus        who runs on which CPU                             observations what may be compared with what
    meters      what is read before and after                     measurement one cell, from empty caches to numbers
    validity    which cells do not count, and why                 statistics  medians, spreads, ratios with bounds
    results     the records on disk                               disk_bound  what the disk itself can give
    goals       what is to be reached, and whether it is          claims      the paper's numbers
    judgements  goals, losses and noise, as told                  comparisons the other comparisons, as told
    tables      what the paper's Tables 1 to 3 are made of        paper_tables these tables
    architecture how a server is built                            figures     the pictures
    document    a page as HTML and Markdown                       report      the page with all of it

`scripts/paper` starts it. Nothing here knows how the servers or the client work inside.
"""
