/* watch.h - what the threads of this rank wait for.
 * SPDX-License-Identifier: MIT
 *
 * A wait that has become long stands in a list, with a function that says on whom it
 * depends. Nothing is written down beforehand: short waits cost nothing but the epoch.
 */
#ifndef PAR_SRC_WATCH_H
#define PAR_SRC_WATCH_H

#include <stdint.h>
#include <sys/types.h>

#include "list.h"
#include "par.h"

enum { WATCH_TEXT_BYTES = 256, WATCH_LINE_BYTES = 256, WATCH_SENDS = -1 };

/* A rank without which a wait cannot end. */
typedef struct watch_edge {
    par_comm *comm;
    int rank;         /* of COMM */
    int64_t body_tag; /* of the large message that waits there for a receive; WATCH_SENDS:
                       * the rank has to send something */
    bool is_unlikely; /* it would only say that something has failed */
} watch_edge;

/* What a wait says of itself. */
typedef struct watch_account {
    char text[WATCH_TEXT_BYTES]; /* "receive(source=1, tag=5)" */
    bool goes_on;                /* it can end without another rank, or is about to end */
    bool is_service;             /* it is nothing unusual that it lasts */
    watch_edge *edges;           /* the ranks of which one has to do something; grows */
    size_t count, room;
} watch_account;

/* Say in ACCOUNT on whom WHAT depends. Called with the lock. */
typedef void watch_tell(const void *what, watch_account *account);

/* A wait of a thread; lives in that thread's frame. */
typedef struct watch_wait {
    list_node node;
    watch_tell *tell; /* NULL: nobody knows, so it goes on */
    const void *what;
    pid_t thread;
    int64_t since, looked;       /* when it began; when it last looked for signals */
    bool looks;                  /* for signals, at all */
    bool is_task;                /* of a communicator's own thread */
    bool busy;                   /* code of the program's may be running in a hook */
    char line[WATCH_LINE_BYTES]; /* the line of the program, as line.h says; "": not known
                                  * yet;
                                  * "-": nobody knows */
} watch_wait;

/* Grows with every operation that is started and with every long wait that begins or
 * ends: while it stays, no thread that waits has done anything. Needs the lock. */
extern uint64_t watch_epoch;

/* The waits that have become long. */
extern list_node watch_waits;

/* WAIT begins, or is over. Need the lock. */
void watch_enter(watch_wait *wait, watch_tell *tell, const void *what, int64_t now);
void watch_leave(watch_wait *wait);

/* For a watch_tell: the wait cannot end unless RANK of COMM, or any other rank of COMM,
 * sends; unless RANK receives the large message with BODY_TAG. */
void watch_needs(watch_account *account, par_comm *comm, int rank, int64_t body_tag);
void watch_needs_any(watch_account *account, par_comm *comm);

/* For a watch_tell: any other rank of COMM could end the wait, too, by a failure. */
void watch_needs_failure(watch_account *account, par_comm *comm);

/* A watch_tell of the end of the job: this thread will do nothing any more. Waits that
 * belong to it are not listed one by one. */
watch_tell watch_tell_end;

/* Add to the text, as printf does. */
void watch_say(watch_account *account, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* " in a communicator of ranks 0,2-4"; nothing for the world. */
void watch_say_comm(watch_account *account, const par_comm *comm);

#endif
