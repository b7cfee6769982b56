/* cmd_bench.c - how fast this machine runs the network. */
#include <stdio.h>

#include "cli/cli.h"

int cmd_bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    fputs("geoviewmatch: this build has no bench\n", stderr);
    return FAILED;
}
