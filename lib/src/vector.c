/* vector.c - parts of differing length, one for each rank.
 * SPDX-License-Identifier: MIT */
#include "vector.h"

#include <stdlib.h>

#include "type.h"

/* ---- where they lie ------------------------------------------------------- */

/* RANK's part: COUNT elements of TYPE from element FROM of DATA on. */
static par_error place(par_part *part, const void *data, size_t from, size_t count,
                       par_type type, int rank)
{
    size_t end, most = (size_t)PTRDIFF_MAX >> type_shift(type);

    if (__builtin_add_overflow(from, count, &end) || end > most)
        return error_set(PAR_ERR_SIZE,
                         "the part of rank %d is %zu elements (or %td) of %s from "
                         "element %zu (or %td) on: they can reach up to %zu",
                         rank, count, (ptrdiff_t)count, par_type_name(type), from,
                         (ptrdiff_t)from, most);
    if (count && !data)
        return error_set(PAR_ERR_ARG, "the buffer for %zu %s of rank %d is NULL", count,
                         par_type_name(type), rank);
    part->bytes = count << type_shift(type);
    part->data = count ? (char *)(uintptr_t)data + (from << type_shift(type)) : NULL;
    return PAR_OK;
}

par_error vector_parts(const par_comm *comm, const void *data, const size_t *counts,
                       const size_t *displs, par_type type, par_part **parts_p)
{
    size_t bytes, from = 0;
    par_part *parts;
    par_error err = p2p_check_data(NULL, 0, type, &bytes);

    if (!err && !counts)
        err = error_set(PAR_ERR_ARG, "counts is NULL: it has a number for each rank");
    if (err)
        return err;
    parts = calloc((size_t)comm->size, sizeof *parts);
    if (!parts)
        return error_memory((size_t)comm->size * sizeof *parts, "a list of parts");
    for (int rank = 0; !err && rank < comm->size; rank++) {
        if (displs)
            from = displs[rank];
        err = place(&parts[rank], data, from, counts[rank], type, rank);
        from += counts[rank];
    }
    if (err)
        free(parts);
    else
        *parts_p = parts;
    return err;
}

/* A part that is not empty, and whose it is. */
typedef struct owned {
    const char *begin, *end;
    int rank;
} owned;

static int by_place(const void *a, const void *b)
{
    const owned *first = a, *second = b;

    return (first->begin > second->begin) - (first->begin < second->begin);
}

static par_error check_apart(const par_comm *comm, const par_part *parts)
{
    owned *all = malloc((size_t)comm->size * sizeof *all);
    size_t count = 0;
    par_error err = PAR_OK;

    if (!all)
        return error_memory((size_t)comm->size * sizeof *all, "a list of parts");
    for (int rank = 0; rank < comm->size; rank++)
        if (parts[rank].bytes) {
            const char *begin = parts[rank].data;

            all[count++] = (owned){begin, begin + parts[rank].bytes, rank};
        }
    qsort(all, count, sizeof *all, by_place);
    for (size_t i = 1; !err && i < count; i++)
        if (all[i - 1].end > all[i].begin)
            err = error_set(PAR_ERR_ARG,
                            "the parts of ranks %d and %d overlap: each needs a place "
                            "of its own",
                            all[i - 1].rank, all[i].rank);
    free(all);
    return err;
}

par_error vector_room(const par_comm *comm, void *data, const size_t *counts,
                      const size_t *displs, par_type type, par_part **parts_p)
{
    par_part *parts = NULL;
    par_error err = vector_parts(comm, data, counts, displs, type, &parts);

    if (!err && displs)
        err = check_apart(comm, parts);
    if (err)
        free(parts);
    else
        *parts_p = parts;
    return err;
}

/* ---- on their way ----------------------------------------------------------- */

par_error vector_keep(const collective *c, const par_part *from, const par_part *to)
{
    if (from->bytes != to->bytes)
        return call_refuse_count(c, c->comm->rank, from->bytes, to->bytes);
    collective_copy(to->data, from->data, from->bytes);
    return PAR_OK;
}
