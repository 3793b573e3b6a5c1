/* request_user.c - what programs do with the requests they have.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "lock.h"
#include "request.h"
#include "wait.h"

/* REQUEST is over with ERR: hand out its status and free it. Needs the lock. */
static par_error end(par_request **request_p, par_error err, par_status *status)
{
    par_request *request = *request_p;
    par_error outcome = err ? err : request_outcome(request);

    if (!outcome && status && request->receive.arrive)
        *status = request->status;
    if (!outcome && request->message)
        *request->message_p = request->message;
    request_free(request);
    *request_p = NULL;
    return outcome;
}

static par_error check(par_request *const *request_p)
{
    if (!request_p)
        return error_set(PAR_ERR_ARG, "request_p is NULL: it is where the request is");
    return *request_p ? comm_check((*request_p)->comm) : PAR_OK;
}

/* Enters and leaves with the lock. */
static par_error wait_for(par_request **request_p, par_status *status)
{
    bool done;
    par_error err = request_step(*request_p, &done);

    if (!err && !done) {
        err = wait_until(request_step, request_tell, *request_p, true);
        lock_take();
    }
    return err == PAR_ERR_INTERRUPTED ? err : end(request_p, err, status);
}

par_error par_wait(par_request **request_p, par_status *status)
{
    par_error err = check(request_p);

    if (err || !*request_p)
        return err;
    lock_take();
    err = wait_for(request_p, status);
    lock_give();
    return err;
}

par_error par_test(par_request **request_p, par_status *status, bool *done_p)
{
    bool done = true;
    par_error err = check(request_p);

    if (err)
        return err;
    if (!done_p)
        return error_set(PAR_ERR_ARG, "done_p is NULL: it is where the answer goes");
    if (*request_p) {
        lock_take();
        err = request_step(*request_p, &done);
        /* Who only ever tests one request must not keep the others from going on. */
        if (!err && !done) {
            inbox_step_all();
            request_fetch_all();
        }
        if (err || done)
            err = end(request_p, err, status);
        lock_give();
    }
    *done_p = done;
    return err;
}

/* ---- several ------------------------------------------------------------ */

/* Requests of which some are waited for. */
typedef struct several {
    par_request *const *requests;
    size_t count;
    size_t *indices; /* of those that are done; NULL: only the first matters */
    size_t done, first;
    double until; /* in par_time; negative: for ever */
} several;

/* An error of the step ends the request that has it, so it is found there. */
static par_error step_several(void *what, bool *done_p)
{
    several *s = what;

    s->done = 0;
    for (size_t i = 0; i < s->count; i++) {
        bool done;
        par_request *request = s->requests[i];

        if (!request || (!request_step(request, &done) && !done))
            continue;
        if (!s->done)
            s->first = i;
        if (s->indices)
            s->indices[s->done] = i;
        s->done++;
        if (!s->indices)
            break;
    }
    *done_p = s->done > 0;
    if (!s->done && s->until >= 0 && par_time() >= s->until) {
        inbox_step_all(); /* as par_test */
        request_fetch_all();
        *done_p = true;
    }
    return PAR_OK;
}

/* How many of S are events, or are not. */
static size_t count_events(const several *s, bool events)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += s->requests[i] && request_is_event(s->requests[i]) == events;
    return count;
}

/* An event is there to be woken by, and worth a word only where it is alone. With a time
 * limit, too, it is a pool that waits; without, the thread that waits for event loops. */
static void tell_several(const void *what, watch_account *account)
{
    const several *s = what;
    const char *comma = "";
    size_t others = count_events(s, false);

    watch_say(account, others > 1 ? "wait(" : "");
    for (size_t i = 0; i < s->count; i++) {
        const par_request *request = s->requests[i];

        if (!request || (others && request_is_event(request)))
            continue;
        watch_say(account, "%s", comma);
        request_tell(request, account);
        comma = ", ";
    }
    watch_say(account, others > 1 ? ")" : "");
    if (s->until >= 0) {
        account->goes_on = true;
        account->is_service |= count_events(s, true) > 0;
    }
}

/* *SOME_P: whether there is anything to wait for. */
static par_error check_several(par_request *const *requests, size_t count, bool *some_p)
{
    *some_p = false;
    if (count && !requests)
        return error_set(PAR_ERR_ARG, "the list of %zu requests is NULL", count);
    for (size_t i = 0; i < count; i++)
        if (requests[i]) {
            *some_p = true;
            return comm_check(requests[i]->comm);
        }
    return PAR_OK;
}

par_error par_wait_any(par_request **requests, size_t count, size_t *index_p,
                       par_status *status)
{
    several s = {.requests = requests, .count = count, .until = -1};
    bool some;
    par_error err = check_several(requests, count, &some);

    if (err)
        return err;
    if (!index_p)
        return error_set(PAR_ERR_ARG, "index_p is NULL: it is where the answer goes");
    if (!some) {
        *index_p = count;
        return PAR_OK;
    }
    lock_take();
    err = wait_until(step_several, tell_several, &s, true);
    if (err)
        return err;
    *index_p = s.first;
    return par_wait(&requests[s.first], status);
}

par_error par_wait_some(par_request *const *requests, size_t count, double seconds,
                        size_t *indices, size_t *done_p)
{
    several s = {.requests = requests,
                 .count = count,
                 .indices = indices,
                 .until = seconds < 0 ? -1 : par_time() + seconds};
    bool some;
    par_error err = check_several(requests, count, &some);

    if (!err && (!done_p || (count && !indices)))
        err = error_set(PAR_ERR_ARG, "%s is NULL: it is where the answer goes",
                        done_p ? "indices" : "done_p");
    if (!err && isnan(seconds))
        err = error_set(PAR_ERR_ARG, "seconds is not a number: negative means for ever");
    if (!err && some) {
        lock_take();
        err = wait_until(step_several, tell_several, &s, true);
    }
    if (!err)
        *done_p = s.done;
    return err;
}

par_error par_wait_all(par_request **requests, size_t count, par_status *statuses)
{
    bool some;
    par_error first = check_several(requests, count, &some);

    if (first)
        return first;
    lock_take();
    for (size_t i = 0; i < count && first != PAR_ERR_INTERRUPTED; i++) {
        par_error err = PAR_OK;

        if (requests[i])
            err = wait_for(&requests[i], statuses ? &statuses[i] : NULL);
        if (!first || err == PAR_ERR_INTERRUPTED)
            first = err;
    }
    lock_give();
    return first;
}

/* ---- done by the program ------------------------------------------------ */

static par_error check_one(const par_request *request)
{
    return request ? comm_check(request->comm)
                   : error_set(PAR_ERR_ARG, "the request is NULL: it may have ended");
}

par_error par_cancel(par_request *request, bool *cancelled_p)
{
    par_error err = check_one(request);
    bool waits;

    if (err)
        return err;
    if (!cancelled_p)
        return error_set(PAR_ERR_ARG, "cancelled_p is NULL: it is where the answer goes");
    lock_take();
    waits = request->state == REQUEST_WAITING;
    if (waits) {
        if (request->receive.arrive)
            match_unpost(&request->receive);
        request->state = REQUEST_DONE;
        request->error = PAR_ERR_CANCELLED;
    }
    lock_give();
    *cancelled_p = waits;
    return PAR_OK;
}

par_error par_event_start(par_comm *comm, par_request **request_p)
{
    par_error err = comm_check(comm);
    par_request *request;

    if (err)
        return err;
    lock_take();
    err = request_new(comm, request_p, &request);
    if (!err) {
        *request = (par_request){.state = REQUEST_WAITING, .comm = comm};
        *request_p = request;
    }
    lock_give();
    return err;
}

par_error par_event_set(par_request *request)
{
    par_error err = check_one(request);

    if (err)
        return err;
    lock_take();
    if (request->state == REQUEST_WAITING && !request->receive.arrive)
        request->state = REQUEST_DONE;
    else if (request->receive.arrive || request->state != REQUEST_DONE)
        err = error_set(PAR_ERR_ARG, "the request is not one of par_event_start");
    lock_give();
    return err;
}

par_error par_task_leave(par_request **request_p)
{
    par_error err = check(request_p);

    if (err || !*request_p)
        return err;
    lock_take();
    if ((*request_p)->state == REQUEST_RUNNING)
        (*request_p)->is_left = true;
    else if ((*request_p)->state == REQUEST_DONE && !(*request_p)->receive.arrive)
        request_free(*request_p);
    else
        err = error_set(PAR_ERR_ARG, "the request is not a task's");
    lock_give();
    if (!err)
        *request_p = NULL;
    return err;
}
