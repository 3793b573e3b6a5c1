/* collective.h - what all collective calls have in common.
 * SPDX-License-Identifier: MIT
 *
 * Each is a few of our own messages along a tree, with the call in front of the
 * payload: so a rank that made another call is found where the two meet. Whoever
 * finds it goes on, with word of the failure in the place of what it had to send,
 * so that no rank behind it waits for ever.
 */
#ifndef PAR_SRC_COLLECTIVE_H
#define PAR_SRC_COLLECTIVE_H

#include "op.h"
#include "p2p.h"

typedef enum collective_function {
    COLLECTIVE_BARRIER,
    COLLECTIVE_BROADCAST,
    COLLECTIVE_SCATTER,
    COLLECTIVE_GATHER,
    COLLECTIVE_REDUCE,
    COLLECTIVE_ALLREDUCE,
    COLLECTIVE_SCAN,
    COLLECTIVE_EXSCAN,
    COLLECTIVE_ALLGATHER,
    COLLECTIVE_ALLTOALL,
    COLLECTIVE_MESSAGE_BROADCAST,
    COLLECTIVE_MESSAGE_SCATTER,
    COLLECTIVE_MESSAGE_GATHER,
    COLLECTIVE_MESSAGE_ALLGATHER,
    COLLECTIVE_MESSAGE_ALLTOALL,
    COLLECTIVE_SPLIT,
    COLLECTIVE_FREE,
    COLLECTIVE_SPLIT_NODE,
    COLLECTIVE_TO_MPI,
    COLLECTIVE_FUNCTIONS,
} collective_function;

/* One collective call of this rank. */
typedef struct collective {
    par_comm *comm;
    int tag; /* its number in the communicator */
    par_type type;
    wire_call wire;
    bool failed; /* another rank's call differs; the detail is set */
} collective;

/* Whether ROOT is one of COMM's ranks; whether all ranks' COUNT elements together can
 * be at DATA. */
par_error collective_check_root(const par_comm *comm, int root);

par_error collective_check_whole(const par_comm *comm, const void *data, size_t count,
                                 par_type type);

/* The arguments of a call that hands parts of ROOT's DATA out or collects them there;
 * of one that joins elements on every rank. *BYTES_P is the length of COUNT of them. */
par_error collective_check_parts(const par_comm *comm, const void *part, const void *data,
                                 size_t count, par_type type, int root, size_t *bytes_p);
par_error collective_check_join(const par_comm *comm, const void *data,
                                const void *result, size_t count, par_type type,
                                par_op op, size_t *bytes_p);

/* Begin the next collective call of COMM. */
collective collective_enter(par_comm *comm, collective_function function, int root,
                            uint64_t count, par_type type, par_op op);

/* Wait until all ranks have entered C: a barrier. */
par_error collective_meet(collective *c);

/* This rank cannot do its part in C: the others are told so from now on. */
void collective_fail(collective *c);

/* PAR_ERR_MISMATCH where C has failed; the end of every call. */
par_error collective_outcome(const collective *c);

/* What to send to DEST for C: CONTENT and PARTS, or word that it has failed. */
request_outgoing collective_outgoing(const collective *c, const par_content *content,
                                     const par_part *parts, size_t part_count, int dest);

/* Send BYTES of C's type at DATA. */
par_error collective_send(const collective *c, const void *data, size_t bytes, int dest);

/* Start all sends, then wait for all: a large one waits for its receiver, and
 * must not keep the others waiting. */
par_error collective_send_all(const collective *c, const request_outgoing *outs,
                              size_t count);

/* Receive SOURCE's message; *MESSAGE_P is NULL where C has failed, before or by it. */
par_error collective_receive(collective *c, int source, par_message **message_p);

/* At the same time send OUT_BYTES at OUT to DEST and receive IN_BYTES into IN from
 * SOURCE; a negative rank is nobody. */
par_error collective_swap(collective *c, const void *out, size_t out_bytes, int dest,
                          void *in, size_t in_bytes, int source);

/* Join all ranks' elements in LEFT into rank 0's LEFT; hand BYTES at DATA of C's root
 * to all. */
par_error collective_climb(collective *c, void *left, size_t bytes);
par_error collective_descend(collective *c, void *data, size_t bytes);

/* Copy, unless a rank's part is in its place already. */
void collective_copy(void *to, const void *from, size_t bytes);

/* Receive BYTES, as the call has said, unless C has failed. */
par_error collective_receive_into(collective *c, void *data, size_t bytes, int source);

#endif
