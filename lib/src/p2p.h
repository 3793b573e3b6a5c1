/* p2p.h - from one rank to another.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_P2P_H
#define PAR_SRC_P2P_H

#include "request.h"

/* Whether COUNT elements of TYPE at DATA can be: *BYTES_P is their length. */
par_error p2p_check_data(const void *data, size_t count, par_type type, size_t *bytes_p);

/* Whether CONTENT with PARTS can travel and be understood. */
par_error p2p_check_content(const par_content *content, const par_part *parts,
                            size_t part_count);

/* Whether one can send to DEST, or receive from SOURCE, under TAG. */
par_error p2p_check_dest(const par_comm *comm, int dest, int tag);
par_error p2p_check_source(const par_comm *comm, int source, int tag);

/* Whether there is a place for the message that is to come. */
par_error p2p_check_place(par_message *const *message_p);

/* Send OUT and wait until its memory is free again. */
par_error p2p_send(par_comm *comm, const request_outgoing *out);

/* The same, but if the wait is interrupted, which is PAR_ERR_INTERRUPTED, the send
 * goes on as *REQUEST_P. */
par_error p2p_send_or_leave(par_comm *comm, const request_outgoing *out,
                            par_request **request_p);

/* Start to send OUT. */
par_error p2p_send_start(par_comm *comm, const request_outgoing *out,
                         par_request **request_p);

/* Wait for a message. */
par_error p2p_receive(par_comm *comm, wire_context context, int source, int tag,
                      par_message **message_p);

#endif
