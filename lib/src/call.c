/* call.c - a collective call, and whether the other ranks make the same.
 * SPDX-License-Identifier: MIT */
#include "call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lock.h"
#include "op.h"
#include "type.h"
#include "wait.h"

/* What a function's number also says: that the call has failed on its sender; that
 * the sender waits. */
enum { FAILED = 0x80, KNOCK = 0x40 };

static const char *const names[COLLECTIVE_FUNCTIONS] = {
    [COLLECTIVE_BARRIER] = "barrier",
    [COLLECTIVE_BROADCAST] = "broadcast",
    [COLLECTIVE_SCATTER] = "scatter",
    [COLLECTIVE_GATHER] = "gather",
    [COLLECTIVE_SCATTERV] = "scatterv",
    [COLLECTIVE_GATHERV] = "gatherv",
    [COLLECTIVE_REDUCE] = "reduce",
    [COLLECTIVE_ALLREDUCE] = "allreduce",
    [COLLECTIVE_SCAN] = "scan",
    [COLLECTIVE_EXSCAN] = "exscan",
    [COLLECTIVE_REDUCE_SCATTER] = "reduce_scatter",
    [COLLECTIVE_ALLGATHER] = "allgather",
    [COLLECTIVE_ALLTOALL] = "alltoall",
    [COLLECTIVE_ALLGATHERV] = "allgatherv",
    [COLLECTIVE_ALLTOALLV] = "alltoallv",
    [COLLECTIVE_MESSAGE_BROADCAST] = "broadcast of an object",
    [COLLECTIVE_MESSAGE_SCATTER] = "scatter of objects",
    [COLLECTIVE_MESSAGE_GATHER] = "gather of objects",
    [COLLECTIVE_MESSAGE_REDUCE] = "reduce of objects",
    [COLLECTIVE_MESSAGE_ALLREDUCE] = "allreduce of objects",
    [COLLECTIVE_MESSAGE_SCAN] = "scan of objects",
    [COLLECTIVE_MESSAGE_EXSCAN] = "exscan of objects",
    [COLLECTIVE_MESSAGE_REDUCE_SCATTER] = "reduce_scatter of objects",
    [COLLECTIVE_MESSAGE_ALLGATHER] = "allgather of objects",
    [COLLECTIVE_MESSAGE_ALLTOALL] = "alltoall of objects",
    [COLLECTIVE_SPLIT] = "split",
    [COLLECTIVE_FREE] = "comm_free",
    [COLLECTIVE_SPLIT_NODE] = "split_node",
    [COLLECTIVE_TO_MPI] = "to_mpi",
    [COLLECTIVE_PLACE] = "place",
    [COLLECTIVE_FAIL] = "collective_fail",
};

/* ---- what a call is ----------------------------------------------------- */

static bool is_typed(const wire_call *call)
{
    return call->function > COLLECTIVE_BARRIER &&
           call->function < COLLECTIVE_MESSAGE_BROADCAST;
}

/* Whether each rank's part has as many elements. */
static bool has_count(const wire_call *call)
{
    return is_typed(call) && call->function != COLLECTIVE_SCATTERV &&
           call->function != COLLECTIVE_GATHERV &&
           call->function != COLLECTIVE_ALLGATHERV &&
           call->function != COLLECTIVE_ALLTOALLV;
}

static bool has_op(const wire_call *call)
{
    return (call->function >= COLLECTIVE_REDUCE &&
            call->function <= COLLECTIVE_REDUCE_SCATTER) ||
           (call->function >= COLLECTIVE_MESSAGE_REDUCE &&
            call->function <= COLLECTIVE_MESSAGE_REDUCE_SCATTER);
}

static bool has_root(const wire_call *call)
{
    return (call->function > COLLECTIVE_BARRIER && call->function <= COLLECTIVE_REDUCE) ||
           (call->function >= COLLECTIVE_MESSAGE_BROADCAST &&
            call->function <= COLLECTIVE_MESSAGE_REDUCE);
}

/* In the place of an operation: a function of the callers'. */
enum { JOIN_FUNCTION = 0xff };

static const char *name_op(const wire_call *call)
{
    const char *name = op_name((par_op)call->op);

    if (name)
        return name;
    return call->op == JOIN_FUNCTION ? "a function" : "?";
}

static void describe(const wire_call *call, par_type type, char *text, size_t size)
{
    const char *name = call->function < COLLECTIVE_FUNCTIONS ? names[call->function]
                                                             : "something unknown";
    const char *comma = "";
    int used = snprintf(text, size, "%s(", name);

    if (has_count(call))
        used += snprintf(text + used, size - (size_t)used, "%" PRIu64 " ", call->count);
    if (is_typed(call)) {
        used += snprintf(text + used, size - (size_t)used, "%s", par_type_name(type));
        comma = ", ";
    }
    if (has_op(call)) {
        used += snprintf(text + used, size - (size_t)used, "%s%s", comma, name_op(call));
        comma = ", ";
    }
    if (has_root(call))
        used +=
            snprintf(text + used, size - (size_t)used, "%sroot %d", comma, call->root);
    snprintf(text + used, size - (size_t)used, ")");
}

void call_tell(const collective *c, watch_account *account)
{
    watch_say(account, "%s #%d", names[c->wire.function], c->tag);
    watch_say_comm(account, c->comm);
}

static bool are_same(const wire_call *a, par_type a_type, const wire_call *b,
                     par_type b_type)
{
    return a->function == b->function && a->op == b->op && a->root == b->root &&
           a->count == b->count && (!is_typed(a) || a_type == b_type);
}

/* ---- telling others ----------------------------------------------------- */

/* A message of C with nothing but its call, under FLAG, and TEXT. */
static par_error send_word(const collective *c, uint8_t flag, const char *text, int dest)
{
    size_t room = slot_size - WIRE_HEADER_BYTES - WIRE_CALL_BYTES, length = strlen(text);
    par_part part = {(void *)(uintptr_t)text, length < room ? length : room};
    wire_call call = c->wire;
    request_outgoing out = {
        .content = type_content(flag == KNOCK ? c->type : PAR_BYTE),
        .parts = &part,
        .part_count = 1,
        .context = WIRE_COLLECTIVE,
        .call = &call,
        .dest = dest,
        .tag = c->tag,
    };

    call.function |= flag;
    return p2p_send(c->comm, &out);
}

par_error call_knock(const collective *c, int dest)
{
    /* A communicator that is being freed may be gone when the knock comes. */
    return c->wire.function == COLLECTIVE_FREE ? PAR_OK : send_word(c, KNOCK, "", dest);
}

/* A rank that cannot be told is lost to MPI: no error of this call's. */
static void tell_all(const collective *c, const char *why)
{
    for (int rank = 0; rank < c->comm->size; rank++)
        if (rank != c->comm->rank)
            send_word(c, FAILED, why, rank);
}

/* Tags follow each other in a circle of 31 bits. */
static bool is_before(int a, int b)
{
    uint32_t ahead = ((uint32_t)b - (uint32_t)a) & INT32_MAX;

    return ahead && ahead < UINT32_C(1) << 30;
}

/* ---- comparing ---------------------------------------------------------- */

/* How the call CALL, TYPE of this rank, under TAG, and THEIRS differ. */
static par_error differ(int tag, const wire_call *call, par_type type,
                        const wire_call *theirs, const par_message *message)
{
    char text[2][96];

    describe(call, type, text[0], sizeof text[0]);
    describe(theirs, (par_type)message->header.type, text[1], sizeof text[1]);
    return error_set(PAR_ERR_MISMATCH,
                     "collective call %d is %s here, but %s on rank %d: all ranks must "
                     "make the same call",
                     tag, text[0], text[1], message->source);
}

par_error call_refuse_count(const collective *c, int source, uint64_t theirs,
                            uint64_t ours)
{
    unsigned shift = type_shift(c->type);

    return error_set(PAR_ERR_MISMATCH,
                     "collective call %d is %s, in which rank %d has %" PRIu64
                     " %s for this rank, which says %" PRIu64
                     ": both must give the same count",
                     c->tag, names[c->wire.function], source, theirs >> shift,
                     par_type_name(c->type), ours >> shift);
}

/* What MESSAGE says of a failure, *LENGTH_P long, without its sender in front. */
static const char *reason(const par_message *message, int *length_p)
{
    const char *why = message->body ? (const char *)message->body : "";
    size_t length = (size_t)message->header.bytes, sender;
    char prefix[32];

    sender = (size_t)snprintf(prefix, sizeof prefix, "rank %d: ", message->source);
    if (length < sender || memcmp(why, prefix, sender) != 0)
        sender = 0;
    *length_p = (int)(length - sender);
    return why + sender;
}

static par_error hear(collective *c, const par_message *message)
{
    char text[96];
    int length;
    const char *why = reason(message, &length);

    c->told = true;
    describe(&c->wire, c->type, text, sizeof text);
    return error_set(PAR_ERR_MISMATCH,
                     "collective call %d is %s here, but it has failed on rank %d: %.*s",
                     c->tag, text, message->source, length, why);
}

par_error call_compare(collective *c, const par_message *message, bool *knock_p)
{
    wire_call theirs;

    wire_get_call(message->meta, &theirs);
    *knock_p = theirs.function & KNOCK;
    if (theirs.function & FAILED)
        return hear(c, message);
    theirs.function &= (uint8_t)~KNOCK;
    if (are_same(&theirs, (par_type)message->header.type, &c->wire, c->type))
        return PAR_OK;
    return differ(c->tag, &c->wire, c->type, &theirs, message);
}

/* ---- what else has come --------------------------------------- */

/* The tag that follows TAG. */
static int after(int tag)
{
    return (int)(((uint32_t)tag + 1) & INT32_MAX);
}

static void note_failure(par_comm *comm, int tag)
{
    if (!comm->any_failed || is_before(comm->failed_tag, tag))
        comm->failed_tag = tag;
    comm->any_failed = true;
}

static comm_call *past(par_comm *comm, int tag)
{
    return &comm->calls[(unsigned)tag % COMM_CALLS];
}

static wire_call call_of(const par_message *message)
{
    wire_call call = {0};

    if (message->meta)
        wire_get_call(message->meta, &call);
    return call;
}

static bool has_failed(const par_comm *comm, int tag)
{
    return comm->any_failed && !is_before(comm->failed_tag, tag);
}

/* Whether MINE, a call that this rank has left, is another than THEIRS, as far as this
 * rank remembers it. */
static bool is_other(const comm_call *mine, wire_call theirs, const par_message *message)
{
    theirs.function &= (uint8_t)~KNOCK;
    return mine->tag == message->header.tag &&
           !are_same(&theirs, (par_type)message->header.type, &mine->wire, mine->type);
}

/* MESSAGE is for a call that this rank has left. If nobody knows of a failure there,
 * it says that its sender's call was another: in the same call, all messages are
 * received. A knock is answered instead. */
static par_error judge(par_comm *comm, const par_message *message)
{
    const comm_call *mine = past(comm, message->header.tag);
    wire_call theirs = call_of(message);

    if (theirs.function & FAILED)
        note_failure(comm, message->header.tag);
    if (theirs.function & KNOCK || has_failed(comm, message->header.tag) ||
        mine->tag != message->header.tag)
        return PAR_OK;
    return differ(mine->tag, &mine->wire, mine->type, &theirs, message);
}

/* Who has sent MESSAGE waits for this rank in a call that was MINE here: tell it. */
static void answer(par_comm *comm, const comm_call *mine, const par_message *message)
{
    collective c = {
        .comm = comm, .tag = mine->tag, .type = mine->type, .wire = mine->wire};
    wire_call theirs = call_of(message);
    char before[ERROR_DETAIL_BYTES], why[ERROR_DETAIL_BYTES];

    snprintf(before, sizeof before, "%s", par_error_detail());
    theirs.function &= (uint8_t)~KNOCK;
    differ(mine->tag, &mine->wire, mine->type, &theirs, message);
    snprintf(why, sizeof why, "%s", par_error_detail());
    error_restore(before);
    send_word(&c, FAILED, why, message->source);
}

/* A message for a call before TAG; NULL where there is none. Needs the lock. */
static par_message *find_late(par_comm *comm, int tag)
{
    match_table *table = &comm->inbox.table;
    par_message *message = match_newest(table, WIRE_COLLECTIVE);

    while (message && !is_before(message->header.tag, tag))
        message = match_older(table, message);
    return message;
}

/* The lock is given away meanwhile. */
static void drop(par_comm *comm, const par_message *message)
{
    comm_call mine = *past(comm, message->header.tag);
    wire_call theirs = call_of(message);
    bool asks = theirs.function & KNOCK && is_other(&mine, theirs, message);
    par_request request;

    request_receive_message(&request, comm, WIRE_COLLECTIVE, message->source,
                            message->header.tag, NULL);
    if (!request_finish(&request)) {
        if (asks)
            answer(comm, &mine, request.message);
        par_message_free(&request.message);
    }
    lock_take();
}

/* Drop what calls before TAG have left, for large ones' senders wait; the error that
 * it tells of, if any. */
static par_error clear(par_comm *comm, int tag)
{
    par_error err = PAR_OK;
    par_message *message;

    lock_take();
    while ((message = find_late(comm, tag))) {
        if (!err)
            err = judge(comm, message);
        drop(comm, message);
    }
    lock_give();
    return err;
}

/* What has come for calls that this rank has left, and is not to wait for the next
 * one: all for those that have failed, and knocks. */
static par_message *find_urgent(par_comm *comm)
{
    match_table *table = &comm->inbox.table;
    par_message *message = match_newest(table, WIRE_COLLECTIVE);

    for (; message; message = match_older(table, message)) {
        int tag = message->header.tag;
        uint8_t function = call_of(message).function;

        if (!is_before(tag, after(comm->left)))
            continue;
        if (function & FAILED)
            note_failure(comm, tag);
        if (function & KNOCK || has_failed(comm, tag))
            return message;
    }
    return NULL;
}

static par_comm *find_urgent_comm(void)
{
    par_comm *comm = comm_next(NULL);

    while (comm && !find_urgent(comm))
        comm = comm_next(comm);
    return comm;
}

void call_clear_urgent(void)
{
    static bool busy; /* here, in a wait, so in this very chore */
    par_comm *comm;

    lock_take();
    while (!busy && (comm = find_urgent_comm())) {
        busy = true;
        drop(comm, find_urgent(comm));
        busy = false;
    }
    lock_give();
}

/* MESSAGE is for a call that comes after all of this rank's. */
static void miss(const par_message *message)
{
    wire_call theirs = call_of(message);
    char text[96];

    describe(&theirs, (par_type)message->header.type, text, sizeof text);
    error_set(PAR_ERR_MISMATCH,
              "collective call %d, which is %s on rank %d, is missing here: all ranks "
              "must make the same calls",
              message->header.tag, text, message->source);
}

/* What another rank has learned, and has told of, is known. */
static void note_what_is_told(par_comm *comm)
{
    match_table *table = &comm->inbox.table;
    par_message *message = match_newest(table, WIRE_COLLECTIVE);

    for (; message; message = match_older(table, message))
        if (call_of(message).function & FAILED)
            note_failure(comm, message->header.tag);
}

bool call_is_left(par_comm *comm)
{
    match_table *table = &comm->inbox.table;
    par_message *message = match_newest(table, WIRE_COLLECTIVE);

    note_what_is_told(comm);
    for (; message; message = match_older(table, message)) {
        if (call_of(message).function & (FAILED | KNOCK))
            continue;
        if (is_before(message->header.tag, (int)(comm->collectives & INT32_MAX))) {
            if (!judge(comm, message))
                continue;
        } else {
            miss(message);
        }
        return true;
    }
    return false;
}

par_error call_look(collective *c, bool *late_p)
{
    match_table *table = &c->comm->inbox.table;
    par_message *message = match_newest(table, WIRE_COLLECTIVE), *older;
    par_error err = PAR_OK;

    *late_p = false;
    for (; !err && message && message->age >= c->seen; message = older) {
        bool knock = false;

        older = match_older(table, message);
        *late_p |= !c->is_committed && is_before(message->header.tag, c->tag);
        if (message->header.tag == c->tag && message->meta)
            err = call_compare(c, message, &knock);
        if (knock) {
            match_take(message);
            message_drop(message);
        }
    }
    c->seen = table->ages;
    return err;
}

par_error call_clear(collective *c)
{
    return clear(c->comm, c->tag);
}

void call_fail(collective *c)
{
    char why[ERROR_DETAIL_BYTES];

    snprintf(why, sizeof why, "%s", par_error_detail());
    lock_take();
    note_failure(c->comm, c->tag);
    lock_give();
    if (!c->told)
        tell_all(c, why);
    c->told = true;
    clear(c->comm, after(c->tag));
    error_restore(why);
}

/* ---- enter and leave ---------------------------------------------------- */

par_error collective_check(const par_comm *comm)
{
    par_error err = comm_check(comm);

    return err ? err : background_wait(comm);
}

static bool anything_waits(par_comm *comm)
{
    return match_newest(&comm->inbox.table, WIRE_COLLECTIVE) != NULL;
}

static par_error look_around(collective *c)
{
    bool late;
    par_error err = call_clear(c);

    if (err)
        return err;
    lock_take();
    err = call_look(c, &late);
    lock_give();
    return err;
}

par_error collective_enter(par_comm *comm, collective_function function, int root,
                           uint64_t count, par_type type, par_op op, collective *c_p)
{
    bool look;

    lock_take();
    *c_p = (collective){.comm = comm,
                        .tag = (int)(comm->collectives++ & INT32_MAX),
                        .type = type,
                        .wire = {.function = (uint8_t)function,
                                 .op = (uint8_t)op,
                                 .root = root,
                                 .count = count}};
    *past(comm, c_p->tag) = (comm_call){c_p->tag, c_p->wire, type};
    look = anything_waits(comm);
    if (!look)
        c_p->seen = comm->inbox.table.ages;
    lock_give();
    return look ? look_around(c_p) : PAR_OK;
}

par_error call_check_join(const par_join *join)
{
    if (join && (unsigned)join->kind > PAR_JOIN_REDUCE_SCATTER)
        return error_set(PAR_ERR_ARG, "join->kind is %d: it must be from %d to %d",
                         (int)join->kind, PAR_JOIN_REDUCE, PAR_JOIN_REDUCE_SCATTER);
    if (join && join->op != PAR_JOIN_FUNCTION && !op_name((par_op)join->op))
        return error_set(PAR_ERR_ARG,
                         "join->op is %d: it must be a par_op, or %d for a function",
                         join->op, PAR_JOIN_FUNCTION);
    return PAR_OK;
}

par_error call_enter_join(par_comm *comm, collective_function function, int root,
                          const par_join *join, collective *c_p)
{
    int op = join && join->op == PAR_JOIN_FUNCTION ? JOIN_FUNCTION
             : join                                ? join->op
                                                   : PAR_SUM;

    if (join)
        function =
            (collective_function)(COLLECTIVE_MESSAGE_REDUCE + (unsigned)join->kind);
    return collective_enter(comm, function, root, 0, PAR_BYTE, (par_op)op, c_p);
}

par_error collective_leave(collective *c, par_error err)
{
    if (err)
        call_fail(c);
    c->comm->left = c->tag;
    return err;
}

par_error par_collective_fail(par_comm *comm, const char *why)
{
    collective c;
    par_error err = collective_check(comm);

    if (!err && !why)
        err = error_set(PAR_ERR_ARG, "why is NULL: it is what the other ranks learn");
    if (err)
        return err;
    /* That the others' call is another is no news. */
    collective_enter(comm, COLLECTIVE_FAIL, 0, 0, PAR_BYTE, PAR_SUM, &c);
    collective_leave(&c, error_set(PAR_ERR_MISMATCH, "%s", why));
    return PAR_OK;
}
