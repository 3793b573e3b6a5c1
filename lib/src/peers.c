/* peers.c - where the ranks of the world run, and what those of this node do.
 * SPDX-License-Identifier: MIT
 *
 * A rank that computes answers no messages. The system knows its process; and an
 * interpreter may offer more: a file in memory named "par-stack-RANK", into which
 * it writes its stack whenever SIGURG comes, a signal that does nothing otherwise.
 */
#define _GNU_SOURCE
#include "peers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node.h"
#include "process.h"

typedef struct peer {
    int pid, node;
} peer;

static peer *peers;
static off_t *written; /* in each one's file before it was poked */
static int count;

par_error peers_learn(void)
{
    peer own = {.pid = (int)getpid(), .node = node_first()};
    int code;

    MPI_Comm_size(MPI_COMM_WORLD, &count);
    free(peers);
    free(written);
    peers = malloc((size_t)count * sizeof *peers);
    written = calloc((size_t)count, sizeof *written);
    if (!peers || !written)
        return error_memory((size_t)count * sizeof *peers, "a list of the ranks");
    code = MPI_Allgather(&own, 2, MPI_INT, peers, 2, MPI_INT, MPI_COMM_WORLD);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Allgather");
}

int peers_node(int rank)
{
    return peers[rank].node;
}

bool peers_is_here(int rank)
{
    return peers && rank >= 0 && peers[rank].node == node_first();
}

/* The file that RANK offers; -1 where there is none, or its process is another, as where
 * each rank has process numbers of its own. */
static int open_offer(int rank)
{
    char folder[64], path[128], name[64], target[64];
    struct dirent *entry;
    DIR *files;
    int file = -1;

    snprintf(name, sizeof name, "/memfd:par-stack-%d (deleted)", rank);
    snprintf(folder, sizeof folder, "/proc/%d/fd", peers[rank].pid);
    files = opendir(folder);
    while (files && file < 0 && (entry = readdir(files))) {
        ssize_t length;

        snprintf(path, sizeof path, "%s/%.32s", folder, entry->d_name);
        length = readlink(path, target, sizeof target);
        if (length == (ssize_t)strlen(name) && !memcmp(target, name, (size_t)length))
            file = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (files)
        closedir(files);
    return file;
}

void peers_poke(int rank)
{
    int file = open_offer(rank);
    struct stat status;

    if (file < 0)
        return;
    if (!fstat(file, &status)) {
        written[rank] = status.st_size;
        kill(peers[rank].pid, SIGURG);
    }
    close(file);
}

static const char *describe(char state)
{
    switch (state) {
    case '?':
        return "does not answer";
    case 'T':
        return "is stopped";
    case 't':
        return "is stopped by a debugger";
    case 'S':
    case 'D':
        return "sleeps outside the library";
    case 'Z':
    case 'X':
        return "has ended";
    default:
        return "computes";
    }
}

void peers_look(int rank, char *text, size_t size)
{
    int file = open_offer(rank);
    size_t used =
        (size_t)snprintf(text, size, "%s\n", describe(process_state(peers[rank].pid)));
    ssize_t more = 0;

    if (file >= 0 && used < size - 1)
        more = pread(file, text + used, size - 1 - used, written[rank]);
    text[used + (size_t)(more > 0 ? more : 0)] = '\0';
    if (file >= 0)
        close(file);
}
