/* request.h - an operation under way.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_REQUEST_H
#define PAR_SRC_REQUEST_H

#include "comm.h"
#include "transfer.h"
#include "watch.h"

typedef enum request_state {
    REQUEST_WAITING, /* a receive: for its message */
    REQUEST_MOVING,  /* MPI has its memory */
    REQUEST_RUNNING, /* a task: for its turn, or for its end */
    REQUEST_DONE,
} request_state;

struct par_request {
    struct par_request *next_free; /* while it is nobody's */
    match_receive receive;         /* the match table hands it back */
    request_state state;
    par_comm *comm;
    /* a send */
    slot *slot; /* what MPI sends from; NULL when it has left, and in a receive */
    unsigned char *meta; /* a description that goes apart; NULL without */
    /* a receive into memory */
    void *data;
    size_t room; /* bytes */
    par_type type;
    /* a receive of a message: the message, once it has come, and where its caller
     * wants it; NULL where the caller takes it from here */
    par_message *message;
    par_message **message_p;
    list_node fetch_node; /* among those whose bodies nobody has fetched yet */
    bool is_listed;       /* there */
    /* what comes apart */
    transfer transfer;
    int dest, tag; /* of a send that may wait */
    uint32_t body_tag;
    char *detail; /* of a task's error; NULL without */
    bool is_left; /* nobody waits for it any more */
    /* how it ended; for a message that did not fit, what it was */
    par_error error;
    par_status status;
    uint8_t came_kind, came_type;
    uint64_t came_bytes;
};

/* Memory for a request of COMM that its caller will have in *REQUEST_P; give it back.
 * Both need the lock. */
par_error request_new(par_comm *comm, par_request **request_p, par_request **new_p);
void request_free(par_request *request);
void request_free_all(void);

/* What a send sends, and to whom. */
typedef struct request_outgoing {
    const par_content *content;
    const par_part *parts;
    size_t part_count;
    wire_context context;
    const wire_call *call; /* of a collective */
    int dest, tag;
} request_outgoing;

/* The header of OUT, whose meta has META_BYTES; its body, to be written to TO. */
wire_header request_describe(const request_outgoing *out, size_t meta_bytes);
void request_copy_parts(unsigned char *to, const request_outgoing *out);

/* Start REQUEST, uninitialised memory, as a send; needs the lock. */
par_error request_send(par_request *request, par_comm *comm, const request_outgoing *out);

/* Send HEADER, of an array of a plain type, CALL, if it is one of a collective's, and
 * BODY, which fit a slot together, to another rank; most are gone at once, which *GONE_P
 * says, and REQUEST is not touched then. The short way for what programs send most; needs
 * the lock. */
par_error request_send_small(par_request *request, par_comm *comm,
                             const wire_header *header, const wire_call *call,
                             const void *body, int dest, bool *gone_p);

/* REQUEST, which request_new has given, was a send that is gone. */
void request_make_done(par_request *request);

/* Start REQUEST as a receive into DATA of ROOM bytes; needs the lock. */
void request_receive(par_request *request, par_comm *comm, int source, int tag,
                     void *data, size_t room, par_type type);

/* Start REQUEST as a receive of a message as such, which goes to *MESSAGE_P when the
 * request is ended; needs the lock. With a NULL MESSAGE_P it stays in REQUEST, whose
 * caller waits for nothing else meanwhile. */
void request_receive_message(par_request *request, par_comm *comm, wire_context context,
                             int source, int tag, par_message **message_p);

/* REQUEST, a started receive, has met a message whose body comes apart, to be fetched by
 * whoever waits long; no longer. Need the lock. */
void request_fetch_later(par_request *request);
void request_fetch_forget(par_request *request);

/* Move such bodies on; needs the lock. The second one takes it: a chore of long waits. */
void request_fetch_all(void);
void request_fetch_chore(void);

/* Whether a message may be given back to the receives that wait, by such a chore. */
bool request_fetch_may_return(void);

/* Make REQUEST, which request_new has given, a task's; the task is over with ERR, whose
 * detail is this thread's. Need the lock. */
void request_begin_task(par_request *request);
void request_end_task(par_request *request, par_error err);

/* Drive REQUEST on without waiting; a wait_step. After an error it is done, too. */
par_error request_step(void *request, bool *done_p);

/* Whether REQUEST waits for par_event_set. */
bool request_is_event(const par_request *request);

/* What a request waits for, a watch_tell; or who waits for a message, which WHAT begins
 * to say ("receive(source"). */
watch_tell request_tell;
void request_tell_receive(par_comm *comm, const char *what, int source, int tag,
                          watch_account *account);

/* The error of a REQUEST that is done, with its detail. */
par_error request_outcome(const par_request *request);

/* Wait for a started REQUEST that lives in the caller's frame. Enters with the
 * lock, leaves without. A receive of a message that is interrupted is called
 * back, or its message put back. */
par_error request_finish(par_request *request);

/* The wait for REQUEST, a receive of a message, was INTERRUPTED, whose error is given
 * back: leave the message, if any, to the next receive. */
par_error request_back_out(par_request *request, par_error interrupted);

/* Put MESSAGE back among those that wait to be received; needs the lock. */
void request_return(par_message *message);

#endif
