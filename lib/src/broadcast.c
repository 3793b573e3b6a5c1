/* broadcast.c - what one rank has, all get.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "segment.h"
#include "type.h"

/* In a binomial tree over the ranks counted from the root, one's parent lacks
 * the lowest bit, and one's children have one more bit, below the lowest. */
static int tree_parent(const collective *c)
{
    int size = c->comm->size, v = (c->comm->rank - c->wire.root + size) % size;

    return ((v & (v - 1)) + c->wire.root) % size;
}

/* Those with the largest subtrees first; gives how many. */
static size_t tree_children(const collective *c, int children[32])
{
    int size = c->comm->size, v = (c->comm->rank - c->wire.root + size) % size;
    int low = v ? v & -v : 1 << 30;
    size_t count = 0;

    for (int bit = low / 2; bit; bit /= 2)
        if (v + bit < size)
            children[count++] = (v + bit + c->wire.root) % size;
    return count;
}

/* The largest subtree is told first. */
static par_error send_to_children(collective *c, const par_content *content,
                                  const par_part *parts, size_t part_count)
{
    request_outgoing outs[32];
    int children[32];
    size_t count = tree_children(c, children);

    for (size_t i = 0; i < count; i++)
        outs[i] = collective_outgoing(c, content, parts, part_count, children[i]);
    return count ? collective_send_all(c, outs, count) : PAR_OK;
}

par_error collective_descend(collective *c, void *data, size_t bytes)
{
    const par_content *content = type_content(c->type);
    par_part part = {data, bytes};
    par_error err = PAR_OK;

    if (c->comm->rank != c->wire.root)
        err = collective_receive_into(c, data, bytes, tree_parent(c));
    return err ? err : send_to_children(c, content, &part, 1);
}

/* What pays to be sent in segments; fewer ranks are served in two steps of the tree. */
enum { SEGMENTS_RANKS = 4, SEGMENTS_BYTES = 256 * 1024 };

/* A segment to each rank, which gives it to all (van de Geijn 1994). */
static par_error broadcast_segments(collective *c, void *data, size_t bytes)
{
    const par_comm *comm = c->comm;
    par_part *segments;
    par_error err = segment_divide(c, data, bytes, &segments);

    if (err)
        return err;
    if (comm->rank == c->wire.root)
        err = collective_hand_out(c, segments);
    else
        err = collective_receive_into(c, segments[comm->rank].data,
                                      segments[comm->rank].bytes, c->wire.root);
    if (!err)
        err = segment_share(c, segments[comm->rank].data, segments, c->wire.root);
    free(segments);
    return err;
}

static par_error broadcast(collective *c, void *data, size_t bytes)
{
    return bytes >= SEGMENTS_BYTES && c->comm->size >= SEGMENTS_RANKS
               ? broadcast_segments(c, data, bytes)
               : collective_descend(c, data, bytes);
}

par_error par_broadcast(par_comm *comm, void *data, size_t count, par_type type, int root)
{
    size_t bytes;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_BROADCAST, root, count, type, PAR_SUM, &c);
    if (!err)
        err = broadcast(&c, data, bytes);
    return collective_leave(&c, err);
}

/* The call of a message that has come down the tree. */
static collective call_of(const par_message *message)
{
    collective c = {.comm = message->comm, .tag = message->header.tag};

    wire_get_call(message->meta, &c.wire);
    return c;
}

static par_error relay(par_message *message, const par_part *parts, size_t part_count)
{
    collective c = call_of(message);
    par_content content;

    par_message_content(message, &content, NULL);
    return send_to_children(&c, &content, parts, part_count);
}

/* A body in one piece with its header, as the parts it was sent in. */
static par_error relay_inline(par_message *message)
{
    par_content content;
    par_part *parts;
    unsigned char *at = message->body;
    par_error err;

    par_message_content(message, &content, NULL);
    parts = malloc(content.part_count * sizeof *parts);
    if (!parts)
        return error_memory(content.part_count * sizeof *parts, "a list of parts");
    for (size_t i = 0; i < content.part_count; i++) {
        parts[i].data = at;
        parts[i].bytes = content.part_bytes ? content.part_bytes[i] : content.bytes;
        at = at ? at + parts[i].bytes : NULL;
    }
    err = relay(message, parts, content.part_count);
    free(parts);
    return err;
}

/* MESSAGE has come down the tree. */
static par_error pass_on(par_message *message)
{
    if (!message->header.body_apart)
        return relay_inline(message);
    message->relay = relay; /* when the body has found its place */
    return PAR_OK;
}

static par_error receive_and_pass_on(collective *c, par_message **message_p)
{
    par_error err = collective_receive(c, tree_parent(c), message_p);

    if (err)
        return err;
    err = pass_on(*message_p);
    if (err)
        par_message_free(message_p);
    return err;
}

par_error par_message_broadcast(par_comm *comm, const par_content *content,
                                const par_part *parts, size_t part_count, int root,
                                par_message **message_p)
{
    par_message *message = NULL;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_place(message_p);
    if (!err && comm->rank == root)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;

    err = collective_enter(comm, COLLECTIVE_MESSAGE_BROADCAST, root, 0, PAR_BYTE, PAR_SUM,
                           &c);
    if (!err && comm->rank == root)
        err = send_to_children(&c, content, parts, part_count);
    else if (!err)
        err = receive_and_pass_on(&c, &message);
    if (!err)
        *message_p = message;
    return collective_leave(&c, err);
}
