/* test_watch.c - what a wait says of itself, and on whom it depends.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "comm.h"
#include "watch.h"

enum { SIZE = 40 };

/* ---- the list ------------------------------------------------------------- */

START_TEST(a_wait_is_in_the_list_from_its_begin_to_its_end)
{
    watch_wait first, second;
    uint64_t epoch = watch_epoch;

    watch_enter(&first, watch_tell_end, &epoch, 5);
    watch_enter(&second, NULL, NULL, 6);
    ck_assert_ptr_eq(watch_waits.next, &first.node);
    ck_assert_ptr_eq(watch_waits.prev, &second.node);
    ck_assert_ptr_eq(first.what, &epoch);
    ck_assert_int_eq(first.since, 5);
    ck_assert_int_eq(second.looked, 6);
    ck_assert_int_eq(first.thread, second.thread);
    ck_assert_str_eq(first.line, "");
    watch_leave(&first);
    ck_assert_ptr_eq(watch_waits.next, &second.node);
    watch_leave(&second);
    ck_assert(list_is_empty(&watch_waits));
    ck_assert_uint_eq(watch_epoch, epoch + 4);
}
END_TEST

/* ---- ranks without which it cannot end ------------------------------------- */

START_TEST(a_wait_needs_other_ranks_and_never_its_own)
{
    par_comm comm = {.size = SIZE, .rank = 1};
    watch_account account = {0};

    watch_needs(&account, &comm, 1, WATCH_SENDS);
    ck_assert_uint_eq(account.count, 0);
    watch_needs(&account, &comm, 2, 77);
    ck_assert_uint_eq(account.count, 1);
    ck_assert_ptr_eq(account.edges[0].comm, &comm);
    ck_assert_int_eq(account.edges[0].rank, 2);
    ck_assert_int_eq(account.edges[0].body_tag, 77);
    ck_assert(!account.edges[0].is_unlikely);
    ck_assert(!account.goes_on);
    free(account.edges);
}
END_TEST

START_TEST(who_needs_anybody_needs_all_others)
{
    par_comm comm = {.size = SIZE, .rank = 1};
    watch_account account = {0};

    watch_needs_any(&account, &comm);
    ck_assert_uint_eq(account.count, SIZE - 1);
    for (int i = 0; i < SIZE - 1; i++) {
        ck_assert_int_eq(account.edges[i].rank, i + (i >= 1));
        ck_assert_int_eq(account.edges[i].body_tag, WATCH_SENDS);
        ck_assert(!account.edges[i].is_unlikely);
    }
    free(account.edges);
}
END_TEST

START_TEST(a_failure_elsewhere_is_unlikely_and_what_was_needed_before_stays)
{
    par_comm comm = {.size = 3, .rank = 1};
    watch_account account = {0};

    watch_needs(&account, &comm, 0, WATCH_SENDS);
    watch_needs_failure(&account, &comm);
    ck_assert_uint_eq(account.count, 3);
    ck_assert(!account.edges[0].is_unlikely);
    ck_assert(account.edges[1].is_unlikely);
    ck_assert(account.edges[2].is_unlikely);
    ck_assert_int_eq(account.edges[1].rank, 0);
    ck_assert_int_eq(account.edges[2].rank, 2);
    free(account.edges);
}
END_TEST

/* ---- texts ------------------------------------------------------------------ */

START_TEST(a_text_grows_until_its_room_is_full)
{
    watch_account account = {0};

    watch_say(&account, "receive(source=%d", 3);
    watch_say(&account, ")");
    ck_assert_str_eq(account.text, "receive(source=3)");
    for (int i = 0; i < WATCH_TEXT_BYTES; i++)
        watch_say(&account, "xyz");
    ck_assert_uint_eq(strlen(account.text), WATCH_TEXT_BYTES - 1);
}
END_TEST

START_TEST(the_end_of_the_job_needs_nobody)
{
    watch_account account = {0};

    watch_tell_end(NULL, &account);
    ck_assert_str_eq(account.text, "finalize");
    ck_assert_uint_eq(account.count, 0);
}
END_TEST

/* What a wait in COMM says, whose ranks are those of the world at RANKS. */
static const char *said_of(int *world_ranks, int size, bool is_world)
{
    static watch_account account;
    par_comm comm = {.size = size, .world_ranks = world_ranks, .is_world = is_world};

    account = (watch_account){0};
    watch_say(&account, "barrier #0");
    watch_say_comm(&account, &comm);
    return account.text;
}

START_TEST(a_communicator_is_named_by_its_ranks_of_the_world_in_order)
{
    int mixed[] = {8, 3, 2, 0, 4};

    ck_assert_str_eq(said_of(mixed, 5, false),
                     "barrier #0 in a communicator of ranks 0,2-4,8");
    ck_assert_str_eq(said_of(mixed, 5, true), "barrier #0");
}
END_TEST

START_TEST(of_a_communicator_of_many_ranks_some_are_named)
{
    int even[1000];
    const char *text;

    for (int i = 0; i < 1000; i++)
        even[i] = 2 * i;
    text = said_of(even, 1000, false);
    ck_assert_ptr_eq(strstr(text, "barrier #0 in a communicator of ranks 0,2,4,"), text);
    ck_assert_str_eq(text + strlen(text) - 4, ",...");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_wait_is_in_the_list_from_its_begin_to_its_end);
    check_add(suite, a_wait_needs_other_ranks_and_never_its_own);
    check_add(suite, who_needs_anybody_needs_all_others);
    check_add(suite, a_failure_elsewhere_is_unlikely_and_what_was_needed_before_stays);
    check_add(suite, a_text_grows_until_its_room_is_full);
    check_add(suite, the_end_of_the_job_needs_nobody);
    check_add(suite, a_communicator_is_named_by_its_ranks_of_the_world_in_order);
    check_add(suite, of_a_communicator_of_many_ranks_some_are_named);
}

const check_program program = {.name = "watch", .add = add, .alone = true};
