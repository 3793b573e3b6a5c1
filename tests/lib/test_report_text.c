/* test_report_text.c - the report as text, on machines that are made up.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "check_report.h"

/* No line is longer, but for reasons, which are the ranks' own. */
enum { WIDTH = 120 };

static size_t widest(const char *text)
{
    size_t width = 0;

    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        if ((size_t)(end - text) > width)
            width = (size_t)(end - text);
    return width;
}

/* ---- the format, whole ----------------------------------------------------- */

START_TEST(a_node_has_a_line_for_each_rank_and_a_drawing)
{
    static const char expected[] =
        "3 ranks on 1 node\n"
        "\n"
        "a0: 2 packages, 2 NUMA nodes, 8 cores, 16 CPUs, made up; ranks 0-2\n"
        "  rank  package  NUMA  cores  hyperthreads  CPUs  uses  why\n"
        "  0     0        0     0-1    2 of 2        0-3   2     auto: here\n"
        "  1     0        0     3      1 of 2        6     1     auto: here\n"
        "  2     1        1     4-7    2 of 2        8-15  4     auto: there\n"
        "\n"
        "  package 0  NUMA 0     0   0   . 1/.\n"
        "  package 1  NUMA 1     2   2   2   2\n"
        "  (a cell is a core; a/b: its hyperthreads; . free)\n";
    made m = made_begin();
    int box = made_machine(&m, "pack:2 [numa] core:4 pu:2");
    char *text;

    made_rank(&m, "a", 0, box, "0-3", "auto: here")->place.cpus = 2;
    made_rank(&m, "a", 0, box, "6", "auto: here");
    made_rank(&m, "a", 0, box, "8-15", "auto: there")->place.cpus = 4;
    text = made_text(&m, false);
    ck_assert_str_eq(text, expected);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(alike_nodes_are_folded_and_warnings_come_last)
{
    static const char expected[] =
        "6 ranks on 3 nodes\n"
        "\n"
        "a0: 1 package, 2 cores, 2 CPUs, made up; ranks 0-1\n"
        "  rank  package  NUMA  cores  CPUs  uses  why\n"
        "  0     0        0     0      0     1     kept\n"
        "  1     0        0     0      0     1     kept\n"
        "\n"
        "  package 0   0-1   .\n"
        "  (a cell is a core; . free)\n"
        "\n"
        "nodes a1-a2: as a0; ranks 2-5\n"
        "\n"
        "warning: ranks 0-1 of a0 have one CPU together, 0, and others are idle: that is "
        "how `srun --overcommit` binds them; PAR_BIND=auto spreads them; so on 2 nodes "
        "like it\n";
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:2 pu:1");
    char *text;

    for (int i = 0; i < 6; i++)
        made_rank(&m, "a", i / 2, box, "0", "kept");
    text = made_text(&m, false);
    ck_assert_str_eq(text, expected);
    free(text);
    made_free(&m);
}
END_TEST

/* ---- the drawing ------------------------------------------------------------ */

START_TEST(cores_that_are_not_ours_and_ranks_on_one_core_are_seen)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:4 pu:2");
    char *text;

    m.machines[box]->cpu[6].allowed = m.machines[box]->cpu[7].allowed = 0;
    made_rank(&m, "a", 0, box, "0", "kept");
    made_rank(&m, "a", 0, box, "1", "kept");
    made_rank(&m, "a", 0, box, "2-3", "kept");
    made_rank(&m, "a", 0, box, "2-3", "kept");
    text = made_text(&m, false);
    ck_in("package 0   0/1 2-3   .   x", text);
    ck_in("; . free; x not ours)", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(many_ranks_on_a_core_are_a_range_or_counted)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:2 pu:1");
    char *text;

    for (int i = 0; i < 60; i++)
        made_rank(&m, "a", 0, box, i % 2 ? "0-1" : "0", "kept");
    text = made_text(&m, false);
    ck_in("package 0   0-59  *30", text);
    ck_in("*n: n ranks", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(caches_memories_and_kinds_of_cores_have_rows)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:2 group:2 [numa] l3:2 core:2 pu:1");
    char *text;

    for (int c = 14; c < 16; c++)
        m.machines[box]->cpu[c].kind = 1;
    made_rank(&m, "a", 0, box, "0-15", "kept");
    text = made_text(&m, false);
    ck_in("  package 0  NUMA 0  L3 0  kind 0   0 0\n", text);
    ck_in("                     L3 1  kind 0   0 0\n", text);
    ck_in("             NUMA 1  L3 2  kind 0   0 0\n", text);
    ck_in("  package 1  NUMA 2  L3 4  kind 0   0 0\n", text);
    ck_in("                     L3 7  kind 1   0 0\n", text);
    ck_assert_int_eq(times_in(text, "\n  package "), 2);
    ck_assert_int_eq(times_in(text, " 0 0\n"), 8);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(devices_stand_where_they_are_near)
{
    static const machine_device devices[] = {
        {"ib0", "network", 0, 1}, {"gpu0", "gpu", 1, -1}, {"eth0", "network", -1, -1}};
    made m = made_begin();
    int box = made_machine(&m, "pack:2 group:2 [numa] core:2 pu:1");
    char *text;

    memcpy(m.machines[box]->device, devices, sizeof devices);
    m.machines[box]->devices = 3;
    made_rank(&m, "a", 0, box, "0-7", "kept");
    text = made_text(&m, false);
    ck_in("NUMA 1   0 0  ib0\n", text);
    ck_in("package 1  NUMA 2   0 0  gpu0\n", text);
    ck_in("\n  near no package: eth0\n", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(rows_of_many_cores_are_broken)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:72 pu:1");
    char *text;

    for (int i = 0; i < 72; i++) {
        char cpu[8];

        snprintf(cpu, sizeof cpu, "%d", i);
        made_rank(&m, "a", 0, box, cpu, "auto");
    }
    text = made_text(&m, false);
    ck_assert_uint_le(widest(text), WIDTH);
    for (int i = 0; i < 72; i++) {
        char cell[8];

        snprintf(cell, sizeof cell, " %d", i);
        ck_in(cell, text);
    }
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(a_machine_that_cannot_be_read_has_lines_all_the_same)
{
    made m = made_begin();
    char *text;

    made_rank(&m, "a", 0, -1, "0-3", "kept: the machine cannot be read");
    made_rank(&m, "a", 0, -1, "4,8", "kept: the machine cannot be read");
    text = made_text(&m, false);
    ck_in("a0: ranks 0-1\n", text);
    ck_in("  rank  CPUs  uses  why\n", text);
    ck_in("  0     0-3   1     kept: the machine cannot be read\n", text);
    ck_in("  1     4,8   1     kept", text);
    ck_in("no drawing", text);
    free(text);
    made_free(&m);
}
END_TEST

/* ---- folding ------------------------------------------------------------------ */

/* EACH ranks on each of NODES nodes, a core each in turn; rank r on node r / EACH, or
 * with CYCLIC on r % NODES. */
static made crowd(int nodes, int each, bool cyclic)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:2 group:4 [numa] l3:2 core:8 pu:2"), on_node[1024];
    char cpus[32];

    memset(on_node, 0, sizeof on_node);
    for (int i = 0; i < nodes * each; i++) {
        int node = cyclic ? i % nodes : i / each, core = on_node[node]++;

        snprintf(cpus, sizeof cpus, "%d-%d", 2 * core, 2 * core + 1);
        made_rank(&m, "a", node, box, cpus, "auto: 1 of 128 cores");
    }
    return m;
}

START_TEST(a_thousand_ranks_are_a_page)
{
    made m = crowd(10, 100, false);
    char *text = made_text(&m, false);

    ck_assert_int_lt(lines_in(text), 40);
    ck_assert_uint_le(widest(text), WIDTH);
    ck_in("1000 ranks on 10 nodes\n", text);
    ck_in("\nnodes a1-a9: as a0; ranks 100-999\n", text);
    /* 16 cores to a NUMA node: a line for each, and one for the last four. */
    ck_in("  0-15   0        0     0-15, 1 each   2 of 2        0-31     1 each  ", text);
    ck_in("  96-99  1        6     96-99, 1 each  2 of 2        192-199  1 each  ", text);
    ck_assert_int_eq(times_in(text, "auto: 1 of 128 cores"), 7);
    ck_not_in("warning", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(all_is_a_line_for_each_rank_and_a_drawing_for_each_node)
{
    made m = crowd(10, 100, false);
    char *text = made_text(&m, true);

    ck_assert_int_eq(times_in(text, "auto: 1 of 128 cores\n"), 1000);
    ck_assert_int_eq(times_in(text, "(a cell is a core; . free)"), 10);
    ck_not_in(": as ", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(ranks_dealt_out_to_nodes_in_turn_are_folded_too)
{
    made m = crowd(4, 8, true);
    char *text = made_text(&m, false);

    ck_in("\na0: 2 packages, 8 NUMA nodes, 128 cores, 256 CPUs, made up; ranks "
          "0,4,8,12,16,20,24,28\n",
          text);
    ck_in("\nnodes a1-a3: as a0; ranks 1-3,5-7,", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(ten_thousand_ranks_are_a_page)
{
    made m = crowd(100, 100, true);
    char *text = made_text(&m, false);

    ck_assert_int_lt(lines_in(text), 120); /* no two ranks that follow each other */
    ck_assert_uint_le(widest(text), WIDTH);
    ck_in("10000 ranks on 100 nodes\n", text);
    ck_in("nodes a1-a99: as a0; ranks 1-99,101-199,", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(nodes_that_differ_in_anything_are_told_apart)
{
    made m = crowd(6, 4, false);
    int other = made_machine(&m, "pack:1 core:256 pu:1");
    char *text;

    for (int i = 4; i < 8; i++) /* another machine, the same CPUs */
        m.rank[i].machine = other;
    mask_add(&m.rank[8].place.mask, 77);                   /* another place */
    strcpy(m.rank[12].place.why, "kept: by the launcher"); /* another reason */
    m.rank[16].threads = 1;                                /* another number of threads */
    text = made_text(&m, false);
    for (int node = 0; node < 5; node++) {
        char begin[32];

        snprintf(begin, sizeof begin, "\na%d: ", node);
        ck_in(begin, text);
    }
    ck_in("\nnode a5: as a0; ranks 20-23\n", text);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(of_many_nodes_that_differ_some_are_shown_and_the_others_counted)
{
    made m = crowd(12, 1, false);
    char *text;

    for (int i = 0; i < 12; i++)
        m.rank[i].place.cpus = i + 1;
    text = made_text(&m, false);
    ck_in("\na7: ", text);
    ck_not_in("\na8: ", text);
    ck_in("\nand 4 more nodes, of other kinds (PAR_REPORT=all shows them)\n", text);
    free(text);
    text = made_text(&m, true);
    ck_in("\na11: ", text);
    free(text);
    made_free(&m);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_node_has_a_line_for_each_rank_and_a_drawing);
    check_add(suite, alike_nodes_are_folded_and_warnings_come_last);
    check_add(suite, cores_that_are_not_ours_and_ranks_on_one_core_are_seen);
    check_add(suite, many_ranks_on_a_core_are_a_range_or_counted);
    check_add(suite, caches_memories_and_kinds_of_cores_have_rows);
    check_add(suite, devices_stand_where_they_are_near);
    check_add(suite, rows_of_many_cores_are_broken);
    check_add(suite, a_machine_that_cannot_be_read_has_lines_all_the_same);
    check_add(suite, a_thousand_ranks_are_a_page);
    check_add(suite, all_is_a_line_for_each_rank_and_a_drawing_for_each_node);
    check_add(suite, ranks_dealt_out_to_nodes_in_turn_are_folded_too);
    check_add(suite, ten_thousand_ranks_are_a_page);
    check_add(suite, nodes_that_differ_in_anything_are_told_apart);
    check_add(suite, of_many_nodes_that_differ_some_are_shown_and_the_others_counted);
}

const check_program program = {.name = "report_text", .add = add, .alone = true};
