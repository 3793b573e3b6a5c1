/* board.c - memory that the ranks of a node share.
 * SPDX-License-Identifier: MIT
 *
 * One rank makes a file without a name, and the others open it as that rank's. So
 * nothing is left behind, however the ranks end.
 */
#define _GNU_SOURCE /* memfd_create */
#include "board.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* What the owner tells the others. In another namespace of processes its number is
 * somebody else's, or nobody's: the token, which is in the file, too, tells. */
typedef struct key {
    int64_t pid, fd;
    uint64_t token;
} key;

enum { HEAD_BYTES = 64 }; /* the token, before the memory that is for use */

static uint64_t *map(int fd, size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static uint64_t *create(size_t bytes, key *made)
{
    uint64_t *memory = NULL;

    made->pid = getpid();
    made->fd = memfd_create("par", MFD_CLOEXEC);
    if (made->fd >= 0 && ftruncate((int)made->fd, (off_t)bytes) == 0 &&
        getrandom(&made->token, sizeof made->token, 0) == sizeof made->token)
        memory = map((int)made->fd, bytes);
    if (memory)
        *memory = made->token;
    return memory;
}

static uint64_t *join(size_t bytes, const key *made)
{
    char path[64];
    uint64_t *memory = NULL;
    off_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)made->pid,
             (long long)made->fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    /* Of a file that is shorter the rest cannot be touched. */
    size = lseek(fd, 0, SEEK_END);
    if (size >= 0 && (size_t)size == bytes)
        memory = map(fd, bytes);
    close(fd);
    if (memory && *memory != made->token) {
        munmap(memory, bytes);
        return NULL;
    }
    return memory;
}

void *board_open(MPI_Comm node, size_t bytes)
{
    key made = {.fd = -1};
    uint64_t *memory = NULL;
    int rank;

    bytes += HEAD_BYTES;
    MPI_Comm_rank(node, &rank);
    if (rank == 0)
        memory = create(bytes, &made);
    if (MPI_Bcast(&made, sizeof made, MPI_BYTE, 0, node) != MPI_SUCCESS)
        return NULL;
    if (rank && made.fd >= 0)
        memory = join(bytes, &made);
    MPI_Barrier(node); /* until all have opened it */
    if (rank == 0 && made.fd >= 0)
        close((int)made.fd);
    return memory ? (char *)memory + HEAD_BYTES : NULL;
}
