/* test_census.c - what ranks say that they wait for becomes a report.
 * SPDX-License-Identifier: MIT
 *
 * Rank 0 asks, and hears what the test makes up before the others have heard of it: they
 * wait at the test's end. It has no other threads, and so no use for the lock.
 */
#include <stdio.h>
#include <string.h>

#include "census.h"
#include "check_par.h"
#include "check_stderr.h"
#include "wait.h"

enum { RANKS = 4, MS = 1000 * 1000 };

static const int64_t begin = INT64_C(1000000) * MS;
static const bool all_in[RANKS] = {true, true, true, true};

/* ---- what this rank sends to others; ask.c alone sends so ------------------- */

static struct {
    int count, dest;
    word word;
    char rest[4096];
    size_t bytes;
} last_sent;

/* NOLINTNEXTLINE(readability-identifier-naming): that is how to stand in for it */
int MPI_Issend(const void *data, int count, MPI_Datatype type, int dest, int tag,
               MPI_Comm comm, MPI_Request *request)
{
    const char *from = (const char *)data + WIRE_HEADER_BYTES;

    last_sent.count++;
    last_sent.dest = dest;
    last_sent.bytes = (size_t)count - WIRE_HEADER_BYTES - sizeof(word);
    memcpy(&last_sent.word, from, sizeof(word));
    memcpy(last_sent.rest, from + sizeof(word), last_sent.bytes);
    last_sent.rest[last_sent.bytes] = '\0';
    return PMPI_Issend(data, count, type, dest, tag, comm, request);
}

/* The next word that this rank has sent to itself. Others that have waited long at the
 * end of a test before have heard of it, and answered. */
static word to_self(void)
{
    const word *next;
    const void *rest;
    size_t bytes;
    int source;

    do {
        next = ask_next(world, &source, &rest, &bytes);
        ck_assert_ptr_nonnull(next);
    } while (source != 0);
    return *next;
}

/* ---- a census that rank 0 begins -------------------------------------------- */

static int64_t number;

static void ask_all(const bool *in, bool ends, double seconds)
{
    last_sent.count = 0;
    census_begin(in, ends, seconds, begin);
    ck_assert(census_is_under_way());
    ck_assert_int_eq(last_sent.count, RANKS - 1);
    ck_assert_int_eq(last_sent.word.kind, WORD_TELL);
    ck_assert(last_sent.word.yes == (in != NULL));
    number = last_sent.word.number;
    ck_assert_int_eq(to_self().number, number);
}

static void hear(int source, word_kind kind, uint32_t of, const char *text)
{
    word w = {.kind = (uint8_t)kind, .all = of, .number = number};

    census_hear(source, &w, text, strlen(text));
}

static void hear_text(int source, const char *text)
{
    hear(source, WORD_TEXT, 0, text);
}

static int64_t at;
static enum census_result result;

static void step(void)
{
    result = census_step(begin + at);
}

/* Nothing is told yet AFTER milliseconds. */
static void goes_on(int after)
{
    at = (int64_t)after * MS;
    ck_assert_str_eq(check_stderr(step), "");
    ck_assert_int_eq(result, CENSUS_NOTHING);
    ck_assert(census_is_under_way());
}

/* What is told AFTER milliseconds. */
static const char *told(int after, enum census_result expected)
{
    const char *text;

    at = (int64_t)after * MS;
    text = check_stderr(step);
    ck_assert_int_eq(result, expected);
    ck_assert(!census_is_under_way());
    return text;
}

/* ---- deadlocks -------------------------------------------------------------- */

START_TEST(who_waits_for_the_same_at_the_same_line_is_told_of_once)
{
    static const bool in[RANKS] = {true, true, false, true};

    if (me)
        return;
    ask_all(in, true, 0);
    hear_text(0, "receive(source=3, tag=7)\tsolve.py:6\n");
    hear_text(1, "receive(source=3, tag=7)\tsolve.py:6\n");
    hear_text(2, "finalize\tsolve.py:9\n");
    hear_text(3, "barrier #0\t-\nfetch\t\n");
    ck_assert_str_eq(told(0, CENSUS_DEADLOCK),
                     "par: deadlock: ranks 0-1,3 wait for each other, and nothing can "
                     "wake them\n"
                     "  ranks 0-1 in receive(source=3, tag=7) at solve.py:6\n"
                     "  rank 3 in barrier #0\n"
                     "  rank 3 in fetch\n"
                     "also waiting:\n"
                     "  rank 2 in finalize at solve.py:9\n"
                     "par: the job ends with status 86 (PAR_DEADLOCK=report lets it "
                     "wait, off looks for none)\n");
}
END_TEST

START_TEST(two_threads_at_one_line_are_one_rank)
{
    static const bool in[RANKS] = {false, false, true, false};

    if (me)
        return;
    ask_all(in, false, 0);
    hear_text(2, "barrier #0\tsolve.py:6\nbarrier #0\tsolve.py:6\n");
    ck_assert_str_eq(told(400, CENSUS_DEADLOCK),
                     "par: deadlock: rank 2 waits for itself, and nothing can wake it\n"
                     "  rank 2 in barrier #0 at solve.py:6\n"
                     "par: the job goes on, as PAR_DEADLOCK says\n");
}
END_TEST

START_TEST(those_that_a_deadlock_is_not_of_have_some_time)
{
    static const bool in[RANKS] = {true, true, false, false};

    if (me)
        return;
    ask_all(in, true, 0);
    hear_text(0, "barrier #0\t-\n");
    hear_text(1, "barrier #0\t-\n");
    goes_on(399);
    hear_text(3, "finalize\t-\n");
    ck_assert_ptr_nonnull(
        strstr(told(400, CENSUS_DEADLOCK), "also waiting:\n  rank 3 in finalize\n"));
}
END_TEST

START_TEST(those_that_it_is_of_have_much_time)
{
    if (me)
        return;
    ask_all(all_in, true, 0);
    for (int rank = 0; rank < RANKS - 1; rank++)
        hear_text(rank, "barrier #0\t-\n");
    goes_on(400);
    goes_on(9999);
    ck_assert_ptr_nonnull(
        strstr(told(10000, CENSUS_DEADLOCK), "  ranks 0-2 in barrier #0\n"));
}
END_TEST

START_TEST(answers_to_another_question_and_second_ones_are_not_heard)
{
    if (me)
        return;
    ask_all(all_in, true, 0);
    number--;
    hear_text(1, "old\t-\n");
    number++;
    for (int rank = 0; rank < RANKS - 1; rank++) {
        hear_text(rank, "first\t-\n");
        hear_text(rank, "second\t-\n");
    }
    goes_on(0);
    hear_text(3, "first\t-\n");
    ck_assert_ptr_nonnull(
        strstr(told(0, CENSUS_DEADLOCK), "them\n  ranks 0-3 in first\npar:"));
}
END_TEST

START_TEST(of_many_lines_some_are_told)
{
    char text[2048] = "";
    const char *page;
    size_t used = 0;

    if (me)
        return;
    for (int i = 0; i < 70; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "fetch %d\t-\n", i);
    ask_all(all_in, true, 0);
    hear_text(0, text);
    for (int rank = 1; rank < RANKS; rank++)
        hear_text(rank, "");
    page = told(0, CENSUS_DEADLOCK);
    ck_assert_ptr_nonnull(strstr(page, "  rank 0 in fetch 59\n  (there are more)\npar:"));
}
END_TEST

/* ---- what all ranks do -------------------------------------------------------- */

START_TEST(who_says_nothing_is_looked_at_by_one_of_its_node)
{
    static const int silent[] = {0, 3};

    if (me)
        return;
    ask_all(NULL, false, 61.4);
    hear_text(1, "barrier #0\tsolve.py:6\n");
    hear_text(2, "barrier #0\tsolve.py:6\n");
    hear_text(3, ""); /* nothing of it waits */
    goes_on(1999);
    ck_assert_int_eq(last_sent.count, RANKS - 1);
    goes_on(2000);
    ck_assert_int_eq(last_sent.count, RANKS);
    ck_assert_int_eq(last_sent.dest, 1);
    ck_assert_int_eq(last_sent.word.kind, WORD_LOOK);
    ck_assert_uint_eq(last_sent.bytes, sizeof silent);
    ck_assert_int_eq(memcmp(last_sent.rest, silent, sizeof silent), 0);
    hear(1, WORD_SEEN, 3, "computes\n  solve.py:8 in solve\n  solve.py:20 in main\n");
    hear(1, WORD_SEEN, RANKS, "is nobody\n");
    goes_on(2599);
    ck_assert_str_eq(told(2600, CENSUS_HANG),
                     "par: rank 0 has waited for 61 s; what the ranks do:\n"
                     "  ranks 1-2 in barrier #0 at solve.py:6\n"
                     "  rank 0 does not answer\n"
                     "  rank 3 computes\n"
                     "      solve.py:8 in solve\n"
                     "      solve.py:20 in main\n");
}
END_TEST

START_TEST(silent_ranks_that_do_the_same_are_told_of_together)
{
    if (me)
        return;
    ask_all(NULL, false, 60);
    hear_text(1, "barrier #0\t-\n");
    goes_on(2000);
    hear(1, WORD_SEEN, 0, "computes\n");
    hear(1, WORD_SEEN, 2, "is stopped\n");
    hear(1, WORD_SEEN, 3, "computes\n");
    ck_assert_ptr_nonnull(strstr(told(2600, CENSUS_HANG),
                                 "  ranks 0,3: each computes\n  rank 2 is stopped\n"));
}
END_TEST

START_TEST(another_rank_may_make_the_report_but_a_deadlock_is_told_of)
{
    if (me)
        return;
    ask_all(NULL, false, 60);
    census_cancel_hang();
    ck_assert(!census_is_under_way());
    ask_all(all_in, true, 0);
    census_cancel_hang();
    goes_on(0);
    told(10000, CENSUS_DEADLOCK);
}
END_TEST

START_TEST(another_rank_may_make_the_report_of_a_deadlock_but_a_hang_is_told_of)
{
    if (me)
        return;
    ask_all(all_in, true, 0);
    census_cancel_deadlock();
    ck_assert(!census_is_under_way());
    ask_all(NULL, false, 60);
    census_cancel_deadlock();
    goes_on(2000);
    told(2600, CENSUS_HANG);
}
END_TEST

/* ---- what this rank answers ---------------------------------------------------- */

static void tell_name(const void *what, watch_account *account)
{
    watch_say(account, "fetch(%s)", (const char *)what);
    watch_needs_any(account, world);
}

START_TEST(who_is_asked_says_what_its_waits_say_once_it_knows_their_lines)
{
    watch_wait first, second, silent;
    int64_t before = wait_now_ns();

    if (me)
        return;
    watch_enter(&first, tell_name, "a", 0);
    strcpy(first.line, "solve.c:8");
    watch_enter(&second, tell_name, "b", 0);
    watch_enter(&silent, NULL, NULL, 0);
    number = 99;
    last_sent.count = 0;
    hear(2, WORD_TELL, 0, "");
    census_answer(before + 199 * MS);
    ck_assert_int_eq(last_sent.count, 0);
    strcpy(second.line, "solve.c:9");
    census_answer(before + 199 * MS);
    ck_assert_int_eq(last_sent.count, 1);
    ck_assert_int_eq(last_sent.dest, 2);
    ck_assert_int_eq(last_sent.word.kind, WORD_TEXT);
    ck_assert_int_eq(last_sent.word.number, 99);
    ck_assert_str_eq(last_sent.rest, "fetch(a)\tsolve.c:8\nfetch(b)\tsolve.c:9\n");
    second.line[0] = '\0';
    hear(2, WORD_TELL, 0, "");
    census_answer(wait_now_ns() + 200 * MS);
    watch_leave(&first);
    watch_leave(&second);
    watch_leave(&silent);
    ck_assert_int_eq(last_sent.count, 2);
    ck_assert_str_eq(last_sent.rest, "fetch(a)\tsolve.c:8\nfetch(b)\t\n");
}
END_TEST

START_TEST(who_is_asked_by_two_answers_both)
{
    watch_wait wait;

    if (me)
        return;
    watch_enter(&wait, tell_name, "a", 0);
    last_sent.count = 0;
    hear(2, WORD_TELL, 0, "");
    hear(3, WORD_TELL, 0, "");
    ck_assert_int_eq(last_sent.dest, 2);
    census_answer(wait_now_ns() + 200 * MS);
    watch_leave(&wait);
    ck_assert_int_eq(last_sent.dest, 3);
    ck_assert_int_eq(last_sent.count, 2);
}
END_TEST

START_TEST(who_is_to_look_tells_of_each_after_a_while)
{
    static const int ranks_to_see[] = {3, RANKS, -1, 1};
    word w = {.kind = WORD_LOOK, .number = 98};
    int64_t before = wait_now_ns();

    if (me)
        return;
    census_hear(2, &w, ranks_to_see, sizeof ranks_to_see);
    last_sent.count = 0;
    census_look(before + 199 * MS);
    ck_assert_int_eq(last_sent.count, 0);
    census_look(wait_now_ns() + 200 * MS);
    ck_assert_int_eq(last_sent.count, 2);
    ck_assert_int_eq(last_sent.dest, 2);
    ck_assert_int_eq(last_sent.word.kind, WORD_SEEN);
    ck_assert_uint_eq(last_sent.word.all, 1);
    ck_assert_int_eq(last_sent.word.number, 98);
    ck_assert(strncmp(last_sent.rest, "computes\n", 9) == 0 ||
              strncmp(last_sent.rest, "sleeps outside the library\n", 27) == 0);
    census_look(wait_now_ns() + 400 * MS);
    ck_assert_int_eq(last_sent.count, 2);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, who_waits_for_the_same_at_the_same_line_is_told_of_once);
    check_add(suite, two_threads_at_one_line_are_one_rank);
    check_add(suite, those_that_a_deadlock_is_not_of_have_some_time);
    check_add(suite, those_that_it_is_of_have_much_time);
    check_add(suite, answers_to_another_question_and_second_ones_are_not_heard);
    check_add(suite, of_many_lines_some_are_told);
    check_add(suite, who_says_nothing_is_looked_at_by_one_of_its_node);
    check_add(suite, silent_ranks_that_do_the_same_are_told_of_together);
    check_add(suite, another_rank_may_make_the_report_but_a_deadlock_is_told_of);
    check_add(suite,
              another_rank_may_make_the_report_of_a_deadlock_but_a_hang_is_told_of);
    check_add(suite, who_is_asked_says_what_its_waits_say_once_it_knows_their_lines);
    check_add(suite, who_is_asked_by_two_answers_both);
    check_add(suite, who_is_to_look_tells_of_each_after_a_while);
}

const check_program program = {.name = "census", .add = add};
