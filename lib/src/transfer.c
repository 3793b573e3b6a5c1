/* transfer.c - what comes apart from its header: bodies, straight from memory to memory.
 * SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdlib.h>

size_t transfer_piece = (size_t)1 << 30;

void transfer_none(transfer *t)
{
    t->pieces = &t->one;
    t->count = t->done = 0;
}

void transfer_move(transfer *to, const transfer *from)
{
    *to = *from;
    if (from->pieces == &from->one)
        to->pieces = &to->one;
}

typedef int start_piece(void *data, int bytes, int peer, int tag, MPI_Comm mpi,
                        MPI_Request *request);

static int start_send(void *data, int bytes, int peer, int tag, MPI_Comm mpi,
                      MPI_Request *request)
{
    return MPI_Isend(data, bytes, MPI_BYTE, peer, tag, mpi, request);
}

static int start_receive(void *data, int bytes, int peer, int tag, MPI_Comm mpi,
                         MPI_Request *request)
{
    return MPI_Irecv(data, bytes, MPI_BYTE, peer, tag, mpi, request);
}

static size_t count_pieces(const par_part *parts, size_t part_count)
{
    size_t pieces = 0;

    for (size_t i = 0; i < part_count; i++)
        pieces +=
            parts[i].bytes / transfer_piece + (parts[i].bytes % transfer_piece != 0);
    return pieces;
}

static void release(transfer *t)
{
    if (t->pieces != &t->one)
        free(t->pieces);
}

static int start_part(transfer *t, const par_part *part, int peer, int tag, MPI_Comm mpi,
                      start_piece *start)
{
    size_t at = 0;

    while (at < part->bytes) {
        size_t left = part->bytes - at;
        size_t bytes = left < transfer_piece ? left : transfer_piece;
        int code = start((char *)part->data + at, (int)bytes, peer, tag, mpi,
                         &t->pieces[t->count]);

        if (code != MPI_SUCCESS)
            return code;
        t->count++;
        at += bytes;
    }
    return MPI_SUCCESS;
}

static par_error start_all(transfer *t, MPI_Comm mpi, const par_part *parts,
                           size_t part_count, int peer, int tag, start_piece *start)
{
    size_t pieces = count_pieces(parts, part_count);

    transfer_none(t);
    if (pieces > 1 && !(t->pieces = malloc(pieces * sizeof *t->pieces)))
        return error_memory(pieces * sizeof *t->pieces, "requests");
    for (size_t i = 0; i < part_count; i++) {
        int code = start_part(t, &parts[i], peer, tag, mpi, start);

        if (code != MPI_SUCCESS) {
            release(t);
            return error_mpi(code, "starting to move a body");
        }
    }
    return PAR_OK;
}

par_error transfer_send(transfer *t, MPI_Comm mpi, const par_part *parts,
                        size_t part_count, int peer, int tag)
{
    return start_all(t, mpi, parts, part_count, peer, tag, start_send);
}

par_error transfer_receive(transfer *t, MPI_Comm mpi, const par_part *parts,
                           size_t part_count, int peer, int tag)
{
    return start_all(t, mpi, parts, part_count, peer, tag, start_receive);
}

par_error transfer_step(transfer *t, bool *done_p)
{
    *done_p = false;
    while (t->done < t->count) {
        int over;
        int code = MPI_Test(&t->pieces[t->done], &over, MPI_STATUS_IGNORE);

        if (code != MPI_SUCCESS) {
            release(t);
            return error_mpi(code, "moving a body");
        }
        if (!over)
            return PAR_OK;
        t->done++;
    }
    release(t);
    *done_p = true;
    return PAR_OK;
}
