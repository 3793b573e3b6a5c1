/* p2p_check.c - what may be sent and received, and to and from whom.
 * SPDX-License-Identifier: MIT */
#include "p2p.h"
#include "type.h"

par_error p2p_check_data(const void *data, size_t count, par_type type, size_t *bytes_p)
{
    if (!type_is_plain(type))
        return error_set(PAR_ERR_TYPE,
                         "type %d is not one of C's: they are %d (%s) to %d "
                         "(%s), but for %d (%s)",
                         (int)type, PAR_BYTE, par_type_name(PAR_BYTE), TYPE_COUNT - 1,
                         par_type_name(TYPE_COUNT - 1), PAR_OPAQUE,
                         par_type_name(PAR_OPAQUE));
    if (count > (size_t)PTRDIFF_MAX >> type_shift(type))
        return error_set(PAR_ERR_SIZE,
                         "%zu elements (or %td) of %s: there can be 0 to %zu", count,
                         (ptrdiff_t)count, par_type_name(type),
                         (size_t)PTRDIFF_MAX >> type_shift(type));
    if (!data && count)
        return error_set(PAR_ERR_ARG, "the buffer for %zu %s is NULL", count,
                         par_type_name(type));
    *bytes_p = count << type_shift(type);
    return PAR_OK;
}

par_error p2p_check_dest(const par_comm *comm, int dest, int tag)
{
    par_error err = comm_check(comm);

    if (!err)
        err = comm_check_rank(comm, dest, "destination");
    if (!err && tag < 0)
        err = error_set(PAR_ERR_TAG, "tag %d is out of range: tags are 0 to %d", tag,
                        par_max_tag());
    return err;
}

par_error p2p_check_source(const par_comm *comm, int source, int tag)
{
    par_error err = comm_check(comm);

    if (!err && source != PAR_ANY_SOURCE)
        err = comm_check_rank(comm, source, "source");
    if (!err && tag < 0 && tag != PAR_ANY_TAG)
        err = error_set(PAR_ERR_TAG,
                        "tag %d is out of range: tags are 0 to %d, or PAR_ANY_TAG (%d)",
                        tag, par_max_tag(), PAR_ANY_TAG);
    return err;
}

par_error p2p_check_place(par_message *const *message_p)
{
    return message_p ? PAR_OK
                     : error_set(PAR_ERR_ARG,
                                 "message_p is NULL: it is where the message goes");
}

static bool shape_is_of(const par_content *content, uint64_t bytes)
{
    uint64_t elements = 1;
    bool empty = false;

    if (content->dims == 1)
        return bytes % par_type_size((par_type)content->type) == 0;
    for (unsigned d = 0; d < content->dims; d++)
        empty |= content->shape[d] == 0;
    if (empty)
        return !bytes;
    for (unsigned d = 0; d < content->dims; d++)
        if (__builtin_mul_overflow(elements, content->shape[d], &elements))
            return false;
    return !__builtin_mul_overflow(elements, par_type_size((par_type)content->type),
                                   &elements) &&
           elements == bytes;
}

static par_error check_array(const par_content *content, uint64_t bytes,
                             size_t part_count)
{
    if (content->type >= TYPE_COUNT)
        return error_set(PAR_ERR_TYPE, "type %d is no par_type", content->type);
    if (content->dims > WIRE_MAX_DIMS)
        return error_set(PAR_ERR_ARG, "%d dimensions are too many: there can be %d",
                         content->dims, WIRE_MAX_DIMS);
    if (content->dims > 1 && !content->shape)
        return error_set(PAR_ERR_ARG, "the shape of %d dimensions is NULL",
                         content->dims);
    if (content->type == PAR_OPAQUE)
        return PAR_OK;
    if (part_count > 1 || content->extra_bytes)
        return error_set(PAR_ERR_ARG,
                         "an array of %s has one part and no extra description, not %zu "
                         "and %zu bytes",
                         par_type_name((par_type)content->type), part_count,
                         content->extra_bytes);
    if (!shape_is_of(content, bytes))
        return error_set(PAR_ERR_ARG, "the shape is not that of %llu bytes of %s",
                         (unsigned long long)bytes,
                         par_type_name((par_type)content->type));
    return PAR_OK;
}

par_error p2p_check_content(const par_content *content, const par_part *parts,
                            size_t part_count)
{
    uint64_t bytes = 0;

    if (!content)
        return error_set(PAR_ERR_ARG, "the content is NULL: it says what is sent");
    if (part_count && !parts)
        return error_set(PAR_ERR_ARG, "the list of %zu parts is NULL", part_count);
    if (content->extra_bytes && !content->extra)
        return error_set(PAR_ERR_ARG, "the extra description of %zu bytes is NULL",
                         content->extra_bytes);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].bytes && !parts[i].data)
            return error_set(PAR_ERR_ARG, "part %zu of %zu bytes is NULL", i,
                             parts[i].bytes);
        if (__builtin_add_overflow(bytes, parts[i].bytes, &bytes) || bytes > PTRDIFF_MAX)
            return error_set(PAR_ERR_SIZE,
                             "parts 0 to %zu have more bytes than there can be, %td", i,
                             PTRDIFF_MAX);
    }
    if (content->kind == PAR_ARRAY)
        return check_array(content, bytes, part_count);
    if (content->kind != PAR_OBJECT)
        return error_set(PAR_ERR_ARG, "kind %d is neither PAR_ARRAY nor PAR_OBJECT",
                         (int)content->kind);
    return PAR_OK;
}
