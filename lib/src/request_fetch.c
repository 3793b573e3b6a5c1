/* request_fetch.c - bodies that nobody fetches in time.
 * SPDX-License-Identifier: MIT
 *
 * The body of a large message that a started receive has met stays with its sender
 * until the program ends the request and says where the body goes: so it moves once.
 * But who starts a receive and then waits for something else, such as its own send to
 * the same rank, would wait for ever. So a wait that has become long fetches such
 * bodies into memory of the library's own.
 */
#include <stdlib.h>

#include "lock.h"
#include "request.h"

static list_node unfetched = {&unfetched, &unfetched};

void request_fetch_later(par_request *request)
{
    list_insert(&unfetched, &request->fetch_node);
    request->is_listed = true;
}

void request_fetch_forget(par_request *request)
{
    if (request->is_listed)
        list_remove(&request->fetch_node);
    request->is_listed = false;
}

/* Without memory the body stays where it is: nothing is lost. */
static void start(par_request *request)
{
    par_message *message = request->message;
    void *room = par_alloc((size_t)message->header.bytes);
    size_t count;
    par_part *parts = room ? message_parts(message, room, &count) : NULL;

    if (parts && !transfer_receive(&request->transfer, request->comm->body, parts, count,
                                   message->source, (int)message->header.body_tag)) {
        message->fetched = room;
        request->state = REQUEST_MOVING;
    } else {
        par_free(room);
    }
    free(parts);
}

static void end_left(par_request *request)
{
    if (!request->error)
        request_return(request->message);
    request_free(request);
}

static void step(par_request *request)
{
    bool done;

    if (request->state == REQUEST_MOVING)
        request_step(request, &done);
    if (request->state != REQUEST_DONE)
        return;
    if (request->is_left)
        end_left(request);
    else if (!request->error && !request->message->body)
        start(request);
}

void request_fetch_all(void)
{
    list_node *next;

    for (list_node *node = unfetched.next; node != &unfetched; node = next) {
        next = node->next;
        step(LIST_OF(node, par_request, fetch_node));
    }
}

bool request_fetch_may_return(void)
{
    for (list_node *node = unfetched.next; node != &unfetched; node = node->next)
        if (LIST_OF(node, par_request, fetch_node)->is_left)
            return true;
    return false;
}

void request_fetch_chore(void)
{
    lock_take();
    if (par_initialized())
        request_fetch_all();
    lock_give();
}

par_error par_receive_leave(par_request **request_p)
{
    par_request *request = request_p ? *request_p : NULL;
    par_error err = request ? comm_check(request->comm) : PAR_OK;

    if (err || !request)
        return err;
    lock_take();
    if (!request->receive.arrive || !request->message_p)
        err =
            error_set(PAR_ERR_ARG, "the request is not one of par_message_receive_start");
    else if (request->state == REQUEST_MOVING)
        request->is_left = true;
    else if (request->state == REQUEST_WAITING)
        match_unpost(&request->receive);
    else if (request->message && !request->error)
        request_return(request->message);
    if (!err && !request->is_left)
        request_free(request);
    lock_give();
    if (!err)
        *request_p = NULL;
    return err;
}
