/* par.h - messages between the ranks of a job, and who waits for them.
 * SPDX-License-Identifier: MIT
 *
 * libpar runs on MPI but never blocks inside it: every operation is started
 * without blocking, and the library itself waits. So a waiting rank yields its
 * core to others, any thread of a rank may call the library at any time, and a
 * program that joins the library to an interpreter can react to signals.
 *
 * In ten lines:
 *
 *     par_comm *world;
 *     par_init(&argc, &argv, NULL, &world);
 *     double x = 1.5;
 *     if (par_rank(world) == 0)
 *         par_send(world, &x, 1, PAR_DOUBLE, 1, 7);
 *     else if (par_rank(world) == 1)
 *         par_receive(world, &x, 1, PAR_DOUBLE, 0, 7, NULL);
 *     par_finalize();
 *
 * Conventions that hold for every function below, and are not repeated there:
 *
 * - A function that can fail returns a par_error, PAR_OK (0) on success. The
 *   rest of the story is in par_error_detail(): the value, the rank, and what
 *   would be right. Results come through the last arguments, which are set
 *   only on success; a NULL one is PAR_ERR_ARG, unless it may be NULL.
 * - Counts are elements of the given par_type, never bytes, unless a name says
 *   bytes. Counts above 2^31 work.
 * - Buffers stay the caller's. A buffer may be NULL where its count is 0.
 * - "Collective" means that every rank of the communicator calls it, in the
 *   same order relative to its other collective calls there.
 * - Every function may be called from any thread between par_init and
 *   par_finalize, those two from one thread at a time. Functions of one
 *   request or one message are for one thread at a time. At any time may be called
 *   par_abort, which then ends this process, par_say, and what asks for texts, types,
 *   the host, the time and CPUs.
 * - A call on a communicator or one of its requests returns PAR_ERR_STATE before
 *   par_init and after par_finalize; a call with a NULL communicator returns
 *   PAR_ERR_ARG.
 */
#ifndef PAR_H
#define PAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PAR_API __attribute__((visibility("default")))
#else
#define PAR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PAR_VERSION "0.1.0"

/* ---- error: codes and their texts -------------------------------------- */

/* Name, text. One list, from which par_strerror() and the bindings'
 * exceptions are made. */
#define PAR_ERRORS(X)                                                         \
    X(PAR_OK, "success")                                                      \
    X(PAR_ERR_ARG, "an argument is not valid")                                \
    X(PAR_ERR_RANK, "no such rank in this communicator")                      \
    X(PAR_ERR_TAG, "no such tag")                                             \
    X(PAR_ERR_TYPE, "the message holds another type")                         \
    X(PAR_ERR_SIZE, "the message does not fit the buffer")                    \
    X(PAR_ERR_MISMATCH, "ranks called a collective with differing arguments") \
    X(PAR_ERR_STATE, "this call cannot be made now")                          \
    X(PAR_ERR_MEMORY, "out of memory")                                        \
    X(PAR_ERR_WIRE, "a message is damaged or not one of par's")               \
    X(PAR_ERR_CANCELLED, "the request was cancelled")                         \
    X(PAR_ERR_INTERRUPTED, "the wait was interrupted")                        \
    X(PAR_ERR_MPI, "MPI failed")                                              \
    X(PAR_ERR_LEFTOVERS, "the job has ended with something left over")        \
    X(PAR_ERR_ELSEWHERE, "another rank says what is wrong")

typedef enum par_error {
#define PAR_ERROR_NAME(name, text) name,
    PAR_ERRORS(PAR_ERROR_NAME)
#undef PAR_ERROR_NAME
} par_error;

/* The text of ERROR, a constant string; of a number that is no par_error,
 * "unknown error". */
PAR_API const char *par_strerror(par_error error);

/* What went wrong in the last call of this thread that failed: a sentence
 * with the value, the rank, and what would be right. The text is the
 * library's and lives until this thread's next failure; "" before the first. */
PAR_API const char *par_error_detail(void);

/* ---- types ------------------------------------------------------------- */

/* What the elements of a message are. PAR_CHAR is text in UTF-8, PAR_BYTE is
 * bytes without a meaning; all others are the C types of this machine.
 * PAR_OPAQUE marks elements that only the sender's language can describe (a
 * NumPy record, say): a message of it can be received with par_message_* alone.
 * The last two are the structures below. */
typedef enum par_type {
    PAR_BYTE,
    PAR_CHAR,
    PAR_BOOL,
    PAR_INT8,
    PAR_INT16,
    PAR_INT32,
    PAR_INT64,
    PAR_UINT8,
    PAR_UINT16,
    PAR_UINT32,
    PAR_UINT64,
    PAR_FLOAT,
    PAR_DOUBLE,
    PAR_COMPLEX_FLOAT,
    PAR_COMPLEX_DOUBLE,
    PAR_OPAQUE,
    PAR_DOUBLE_INDEX,
    PAR_INT64_INDEX,
} par_type;

/* A number and where it was found, for PAR_MINLOC and PAR_MAXLOC. */
typedef struct par_double_index {
    double value;
    int64_t index;
} par_double_index;

typedef struct par_int64_index {
    int64_t value;
    int64_t index;
} par_int64_index;

/* Bytes of one element of TYPE (1 for PAR_OPAQUE); 0 where TYPE is no par_type. */
PAR_API size_t par_type_size(par_type type);

/* The name of TYPE as a C programmer would write it ("int64", "double"), a
 * constant string; "unknown type" where TYPE is no par_type. */
PAR_API const char *par_type_name(par_type type);

/* How par_reduce joins elements. The logical ones take and give 0 or 1 and,
 * like the bitwise ones, want integers or PAR_BOOL; MIN and MAX want real
 * numbers. MINLOC and MAXLOC want PAR_DOUBLE_INDEX or PAR_INT64_INDEX: of two such
 * they keep the one with the smaller, or larger, value; of equal values the one with
 * the smaller index. A value that is no number (NaN) goes before all others, in MIN
 * and MAX too. */
typedef enum par_op {
    PAR_SUM,
    PAR_PROD,
    PAR_MIN,
    PAR_MAX,
    PAR_LAND,
    PAR_LOR,
    PAR_LXOR,
    PAR_BAND,
    PAR_BOR,
    PAR_BXOR,
    PAR_MINLOC,
    PAR_MAXLOC,
} par_op;

/* ---- comm: the job and its communicators ------------------------------- */

/* Ranks that exchange messages. Messages of one communicator never meet those
 * of another. */
typedef struct par_comm par_comm;

/* How a rank waits. */
typedef enum par_wait_mode {
    PAR_WAIT_AUTO,  /* a short spin, then yield the core, then sleep, ever longer: up to
                     * 0.8 ms, or more where over eight ranks share a CPU. No spin where
                     * more ranks than CPUs share the node */
    PAR_WAIT_SPIN,  /* never let go of the core: for ranks that have one each */
    PAR_WAIT_SLEEP, /* sleep at once: for ranks that wait beside somebody's work */
} par_wait_mode;

/* What the end of the job does about what is left over: messages that nobody has
 * received, receives that wait still, collective calls that not all ranks have made;
 * of C programs also requests that nobody has waited for. */
typedef enum par_leftovers {
    PAR_LEFTOVERS_OFF,   /* nothing */
    PAR_LEFTOVERS_WARN,  /* one rank lists them */
    PAR_LEFTOVERS_ERROR, /* and par_finalize fails, on all ranks, the job being over */
} par_leftovers;

/* How it is told where the ranks are. */
typedef enum par_report_form {
    PAR_REPORT_NONE,  /* not at all */
    PAR_REPORT_SHORT, /* text; nodes, and many ranks, that are alike are folded */
    PAR_REPORT_ALL,   /* text, with a line for each rank, each node drawn */
    PAR_REPORT_JSON,  /* for programs: docs/placement.md */
} par_report_form;

/* The most threads that a rank may be given. */
#define PAR_MAX_THREADS 8192

/* Choices for par_init; zero in a field stands for its default. */
typedef struct par_options {
    /* The largest message, header included, that travels in one piece, in
     * bytes; larger ones send their body apart, without a copy. Default 4032, which
     * fits the shared-memory transport's eager limit. The environment variable
     * PAR_INLINE overrides it. All ranks must agree (par_init checks).
     * 1024 to 1048576. */
    size_t inline_bytes;
    /* The environment variable PAR_WAIT, auto, spin or sleep, overrides it. */
    par_wait_mode wait;
    /* How the CPUs of a node are given to its ranks; NULL: as the launcher was told
     * to, or, if it was told nothing, as "auto". par_place chooses anew. The
     * environment variable PAR_BIND overrides it. All ranks must agree.
     *
     * "auto"      each rank gets an equal share of the cores, of one L3 cache, NUMA
     *             node or package if all can; with more ranks than cores, all get all
     * "none"      each rank stays as it was started
     * "core"      one core of its share, "hwthread" one hardware thread of it; two
     *             ranks and more on one if need be
     * "l3", "numa", "package"  a whole one; several ranks on one if need be
     * "compact"   one core each, side by side; "scatter" as far apart as can be
     * "0-3:4,6"   CPUs, as the kernel numbers them, for each rank of a node in turn;
     *             '+' may stand for ',' */
    const char *bind;
    /* How many threads each rank is to have, so many of the cores of its share; and
     * with core, hwthread, compact and scatter so many instead of one. Default: the
     * environment's SLURM_CPUS_PER_TASK, or as many as its place has cores. The
     * environment variable PAR_THREADS_PER_RANK overrides it. 1 to PAR_MAX_THREADS.
     * All ranks must agree. */
    int threads_per_rank;
    /* Whether memory must come from the NUMA nodes of the rank's CPUs, even where there
     * is less of it: for the thread that calls par_init, and those that it starts
     * later. Otherwise it does while it lasts, if those CPUs touch it first. The
     * environment variable PAR_BIND_MEMORY, 0 or 1, overrides it. */
    bool bind_memory;
    /* PAR_LEFTOVERS, off, warn or error, overrides it; what is strictest of all ranks'
     * holds for all. */
    par_leftovers leftovers;
    /* Whether par_init prints where the ranks are, as par_place_report tells it, to
     * stderr of rank 0. PAR_REPORT, 0, 1, all or json, overrides it; what is most of all
     * ranks' holds for all. */
    par_report_form report;
    /* Called, from par_init and par_finalize, with what is no error but should be known,
     * a sentence or a list; what concerns the job on the first rank alone that has this.
     * NULL: par_init says nothing, and leftovers go to stderr. */
    void (*warn)(const char *text);
    /* The interpreter that runs the program, with its version, as in "Python 3.11":
     * par_init warns where ranks have others. NULL in a program that needs none. */
    const char *language;
} par_options;

/* Start the job, or join MPI if somebody else has initialised it already;
 * *WORLD_P is the communicator of all ranks and stays the library's.
 *
 * ARGC and ARGV go to MPI and may both be NULL; so may OPTIONS. Collective
 * over the job: waits for all ranks. Outside mpirun the job has one rank, which Open
 * MPI 4 lets spawn others by MPI_Comm_spawn only if OMPI_MCA_ess_singleton_isolated
 * is 0 in its environment: it would start a daemon for that.
 * A call between an earlier one and its par_finalize gives the same world
 * again and looks at no option; it is matched by its own par_finalize. A
 * program that exits with status 0 and without par_finalize is finalised then;
 * one that exits with another status ends the job with it and says so on stderr, so
 * that no rank waits for one that is gone. If somebody else started MPI, their
 * MPI_Finalize finalises the job first.
 *
 * A process that a rank has started, by subprocess or system(), is a job of its own, and
 * so is every process with PAR_ALONE=1 in its environment. One that was made by fork and
 * goes on with the rank's memory can call nothing but par_rank and par_size.
 *
 * Ranks that wait for each other for ever are found, told of on stderr, and end the job
 * with status 86, unless the environment variable PAR_DEADLOCK is report or off. A wait
 * of PAR_HANG_SECONDS, 60 unless set, is told of once in a job; 0: never.
 *
 * PAR_ERR_ARG        an option or its environment variable is out of range, does not fit
 *                    the node, or differs between ranks; or versions of par do that
 *                    cannot work together; WORLD_P is NULL
 * PAR_ERR_ELSEWHERE  another rank's error is the same or the cause; it gets another
 *                    code, and the text is here, too: one is enough to be shown
 * PAR_ERR_STATE      the job has been finalised before: MPI cannot start twice; or this
 *                    process was made by fork
 * PAR_ERR_MPI        MPI did not start; or a launcher has started several processes
 *                    that MPI takes for a job each, such as another MPI's mpirun
 */
PAR_API par_error par_init(int *argc, char ***argv, const par_options *options,
                           par_comm **world_p);

/* End the job. Every communicator is gone after it. MPI is finalised too,
 * unless somebody else had initialised it. Collective; waits for all ranks, and for
 * collective calls that have been started and not been waited for. Pools that are open
 * are closed first, as by par_pool_close, in the order in which they were opened.
 *
 * More calls than par_init had are harmless: they do nothing.
 *
 * PAR_ERR_MISMATCH   a collective call that has been started can't end, nor does the
 *                    job, since other ranks have not made it
 * PAR_ERR_LEFTOVERS  something is left over, and PAR_LEFTOVERS is error: the list of it;
 *                    the job is over all the same
 * PAR_ERR_ELSEWHERE  that, and another rank has the list
 * PAR_ERR_STATE      it is called in a task
 * PAR_ERR_MPI        MPI did not stop
 * and those of par_pool_close: the job goes on
 */
PAR_API par_error par_finalize(void);

/* Whether the program is between par_init and par_finalize. */
PAR_API bool par_initialized(void);

/* End all ranks of the job at once with exit status CODE; does not return.
 *
 * TEXT, unless it is NULL, says why: one line or more. It is written to stderr first,
 * after "[rank 3 of 16 · host · pid]". Where several ranks of a host abort with the same
 * text, within some tenths of a second, one of them writes it for all, and the status is
 * that of the first. A job of one rank writes TEXT as it is. Of CODE the system lets
 * eight bits through; where they are 0, as for 256, the status is 1: who aborts has not
 * succeeded. With 130 and 143, for SIGINT and SIGTERM, which end all
 * ranks where one has failed, TEXT is left out if another rank of the host has aborted
 * before. */
PAR_API _Noreturn void par_abort(int code, const char *text);

/* The same, but return, so that this process can clean up: the job ends as soon as it
 * exits, or in SECONDS. Of several calls the first counts, as for the status. */
PAR_API void par_abort_later(int code, const char *text, double seconds);

/* Write TEXT, of one line or more, to stderr as par_abort does, and go on at once: it is
 * written within some tenths of a second, and before par_finalize ends, once for all
 * ranks of a host that say the same. What a rank says before its last text is written
 * is not put together with others'. In a job of one rank, or where no job runs, TEXT is
 * written as it is, at once. */
PAR_API void par_say(const char *text);

/* A rank that SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT ends says so on stderr, with its
 * name and a backtrace, and a program that exits with a status other than 0 before
 * par_finalize says that; in jobs of one rank neither does. par_init sees to it, but a
 * handler that somebody has set for such a signal stays the only one, unless it lies in
 * the same program or library as ADDRESS: then it is called next. For languages whose own
 * handlers end the process as well. */
PAR_API void par_crash_before(const void *address);

/* This process's number in COMM, 0 to par_size(COMM) - 1; -1 where COMM is
 * NULL or the job is over. */
PAR_API int par_rank(const par_comm *comm);

/* How many ranks COMM has; -1 where COMM is NULL or the job is over. */
PAR_API int par_size(const par_comm *comm);

/* Make *NEW_P of the ranks of COMM that give the same COLOR, 0 or more, ordered by
 * KEY and then by their rank in COMM; *NEW_P is NULL on ranks that give
 * PAR_NO_COLOR. It is the caller's, to be freed by par_comm_free. Collective.
 *
 * PAR_ERR_ARG          COLOR is negative; NEW_P is NULL
 * PAR_ERR_MISMATCH     another rank made another collective call, or was interrupted
 * PAR_ERR_INTERRUPTED  see par_set_hooks; all other ranks fail, too
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
PAR_API par_error par_split(par_comm *comm, int color, int key, par_comm **new_p);

#define PAR_NO_COLOR (-1)

/* Make *NEW_P of the ranks of COMM that share this rank's node, in their order in
 * COMM. Otherwise as par_split. */
PAR_API par_error par_split_node(par_comm *comm, par_comm **new_p);

/* Make *NEW_P of all ranks of COMM: its messages never meet those of COMM. Otherwise
 * as par_split. */
PAR_API par_error par_duplicate(par_comm *comm, par_comm **new_p);

/* Free *COMM_P and set it to NULL; messages that nobody has received are dropped.
 * Collective over it. What is left is freed by par_finalize. A NULL communicator is
 * fine.
 *
 * PAR_ERR_ARG          it is the world; requests of it have not ended yet
 * PAR_ERR_MISMATCH     another rank made another collective call, was refused or
 *                      interrupted: it is not freed
 * PAR_ERR_INTERRUPTED  see par_set_hooks; it is not freed, on any rank
 */
PAR_API par_error par_comm_free(par_comm **comm_p);

/* The same as par_to_mpi and par_from_mpi of <par_mpi.h>, for languages that know
 * MPI's communicators by their Fortran handles. */
PAR_API par_error par_to_fortran(par_comm *comm, int *handle_p);
PAR_API par_error par_from_fortran(int handle, par_comm **new_p);

/* The largest tag of a message, the smallest being 0. */
PAR_API int par_max_tag(void);

/* The name of this rank's host, the library's own string. */
PAR_API const char *par_hostname(void);

/* Seconds since a fixed moment in this host's past, for measuring spans. */
PAR_API double par_time(void);

/* ---- memory: for large bodies, used again ------------------------------- */

/* Memory of BYTES, as malloc's: not cleared, the caller's; NULL where there is none. What
 * is large (a MiB and more) is made for huge pages where the system has them, and kept
 * for the next one when it is freed, 128 MiB at most in all: the kernel clears each page
 * of fresh memory, which takes longer than to receive into it. Any thread may call both
 * functions, in a job or outside, and free() is fine, too, but keeps nothing. */
PAR_API void *par_alloc(size_t bytes);

/* Free what par_alloc has given. NULL is fine. */
PAR_API void par_free(void *memory);

/* ---- place: which CPUs this rank may use ------------------------------- */

/* Write the CPUs this rank may run on, as "0-3,8", to TEXT of SIZE bytes,
 * always terminated; what does not fit is cut.
 *
 * PAR_ERR_ARG     TEXT is NULL or SIZE is 0
 * PAR_ERR_MEMORY
 */
PAR_API par_error par_place_cpus(char *text, size_t size);

/* Choose anew where the ranks run: as par_init would have, had it been given BIND and
 * THREADS_PER_RANK (see par_options), and PAR_BIND and PAR_THREADS_PER_RANK override them
 * as they do there. Each rank gives back what par has bound it to before, and has its
 * place found from the CPUs that it was started on: NULL and 0 undo earlier calls.
 *
 * The calling thread moves, and with it all threads of the process that may run on just
 * the CPUs of the rank's place: the program's own, those of MPI, and OpenMP's unless it
 * binds them (OMP_PROC_BIND). Those that somebody has placed apart stay. If par_init has
 * bound memory, what this thread and those that it starts touch first from now on comes
 * from beside the new CPUs; what is there already stays. par_cpus may tell another
 * number.
 *
 * Collective over WORLD, which must be par_init's; nobody moves unless all can. A place
 * that the kernel refuses is no error: par_place_report has its reason.
 *
 * PAR_ERR_ARG       BIND is no policy or list of CPUs, or lists CPUs for fewer ranks than
 *                   a node has, or such as the job doesn't have there;
 *                   THREADS_PER_RANK is negative or above PAR_MAX_THREADS; WORLD is
 * another communicator, on that rank alone PAR_ERR_MISMATCH  BIND or THREADS_PER_RANK
 * differs between ranks; another rank made another collective call, or has one of these
 * errors PAR_ERR_MEMORY PAR_ERR_MPI
 */
PAR_API par_error par_place(par_comm *world, const char *bind, int threads_per_rank);

/* How many threads this rank has a use for, at least 1: the cores that it may run on,
 * or the threads that it has been asked to have (see par_options); a core that is
 * other ranks' too counts in part; and no more than the CPU time that a control group
 * (a container, a batch system) grants it, rounded up. Before par_init this machine is
 * looked at, which takes some milliseconds, and other ranks are not known. */
PAR_API int par_cpus(void);

/* Write where the ranks of COMM are, and what seems wrong with that: too many ranks for
 * their cores, too many threads, less CPU time than CPUs, memory at other NUMA nodes.
 *
 * *TEXT_P is set on rank 0 to the text, for free(), and to NULL on the other ranks.
 * Collective; FORM is looked at on rank 0, but must be one everywhere. A node's GPUs and
 * networks are looked for, which may take a tenth of a second. par_options.report asks
 * for the same at the start.
 *
 * PAR_ERR_ARG       TEXT_P is NULL, FORM is none or PAR_REPORT_NONE: on that rank alone
 * PAR_ERR_MISMATCH  another rank made another collective call, or has no memory
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
PAR_API par_error par_place_report(par_comm *comm, par_report_form form, char **text_p);

/* ---- p2p: from one rank to another ------------------------------------- */

#define PAR_ANY_SOURCE (-1)
#define PAR_ANY_TAG (-1)

/* What has been received. */
typedef struct par_status {
    int source;    /* rank of the sender */
    int tag;       /* the sender's */
    par_type type; /* of the elements sent; PAR_OPAQUE for a language's object */
    size_t count;  /* elements sent, at most the buffer's count */
} par_status;

/* Send COUNT elements of TYPE at DATA to rank DEST under TAG.
 *
 * DATA may be reused on return. A small message (see par_options) is gone at once, even
 * while DEST computes; a flood of them waits, from some 64 on, until ranks of this node
 * have come to the library, or the network takes more. A large one waits until DEST has
 * begun to receive it. A message to oneself never waits: it is copied. Messages of one
 * sender under one tag arrive in the order in which they were sent.
 *
 * A flood of small messages to a rank that doesn't receive yet may stay behind here
 * until this rank's next call of the library: MPI moves only while it is called.
 *
 * PAR_ERR_ARG     DATA is NULL but COUNT is not 0
 * PAR_ERR_TYPE    TYPE is not a par_type, or is PAR_OPAQUE
 * PAR_ERR_SIZE    COUNT elements are more bytes than this machine can address
 *                 (which is what a negative count is)
 * PAR_ERR_RANK    DEST is not a rank of COMM
 * PAR_ERR_TAG     TAG is negative or above par_max_tag()
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
PAR_API par_error par_send(par_comm *comm, const void *data, size_t count, par_type type,
                           int dest, int tag);

/* Receive a message of TYPE from SOURCE under TAG into DATA, which has room
 * for COUNT elements. Waits for the message.
 *
 * SOURCE may be PAR_ANY_SOURCE and TAG PAR_ANY_TAG. The message may be shorter
 * than the room; STATUS, which may be NULL, says how many elements came. Of
 * the messages that fit SOURCE and TAG the one that arrived first is taken. If
 * it is of another type or too large, DATA is untouched and the message stays,
 * to be received again by a call that fits it.
 *
 * PAR_ERR_TYPE    the message holds another type: the detail names both sides
 * PAR_ERR_SIZE    the message has more than COUNT elements: likewise
 * PAR_ERR_ARG, PAR_ERR_RANK, PAR_ERR_TAG  as in par_send
 * PAR_ERR_WIRE    something arrived that is not par's
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
PAR_API par_error par_receive(par_comm *comm, void *data, size_t count, par_type type,
                              int source, int tag, par_status *status);

/* Wait until a message from SOURCE under TAG is there, and say in *STATUS what it
 * is, unless STATUS is NULL. It stays to be received; if several threads receive, another
 * may be first. Errors as in par_receive. */
PAR_API par_error par_probe(par_comm *comm, int source, int tag, par_status *status);

/* Look, without waiting, whether such a message is there, and say so in
 * *FOUND_P; *STATUS is set if it is. Otherwise as par_probe. */
PAR_API par_error par_probe_now(par_comm *comm, int source, int tag, par_status *status,
                                bool *found_p);

/* ---- request: an operation under way ----------------------------------- */

/* An operation that has been started. It must be brought to its end, by
 * par_wait or another of the functions that say so: the request is freed and
 * the variable set to NULL then. DATA must stay as it is (send) or untouched
 * (receive) until that. A NULL request is one that has ended. */
typedef struct par_request par_request;

/* Start par_send; returns at once. Errors as there; *REQUEST_P is the
 * caller's to bring to its end. */
PAR_API par_error par_send_start(par_comm *comm, const void *data, size_t count,
                                 par_type type, int dest, int tag,
                                 par_request **request_p);

/* Start par_receive; returns at once. Errors as there, but those that the
 * message causes come from the call that ends the request. Receives that fit a
 * message get it in the order in which they were started. */
PAR_API par_error par_receive_start(par_comm *comm, void *data, size_t count,
                                    par_type type, int source, int tag,
                                    par_request **request_p);

/* Wait until *REQUEST_P is done, and end it. STATUS, which may be NULL, is set
 * for a receive that succeeded. Returns the operation's own error.
 *
 * PAR_ERR_CANCELLED    it has been cancelled
 * PAR_ERR_INTERRUPTED  see par_set_hooks; the request goes on and is not freed
 */
PAR_API par_error par_wait(par_request **request_p, par_status *status);

/* Look, without waiting, whether *REQUEST_P is done, and say so in *DONE_P. If
 * it is, this call is its par_wait. */
PAR_API par_error par_test(par_request **request_p, par_status *status, bool *done_p);

/* Wait until one of COUNT REQUESTS is done, end it, and give its place in
 * *INDEX_P; COUNT if all of them are NULL. Otherwise as par_wait, with
 * *INDEX_P set after the operation's own error, too. */
PAR_API par_error par_wait_any(par_request **requests, size_t count, size_t *index_p,
                               par_status *status);

/* Wait until some of COUNT REQUESTS are done, or SECONDS have passed (forever if
 * negative), and write the places of all that are done to INDICES, which has
 * room for COUNT, and how many they are to *DONE_P. It ends none of them: par_wait
 * does, at once, each with its own error. Returns without waiting, *DONE_P 0, if
 * all are NULL.
 *
 * PAR_ERR_INTERRUPTED  see par_set_hooks
 */
PAR_API par_error par_wait_some(par_request *const *requests, size_t count,
                                double seconds, size_t *indices, size_t *done_p);

/* Wait until all of COUNT REQUESTS are done, and end them. STATUSES, COUNT of
 * them or NULL, are set for receives that succeeded. Returns the first error,
 * in the order of the requests; all are ended even so.
 *
 * PAR_ERR_INTERRUPTED  see par_set_hooks; those not done yet go on
 */
PAR_API par_error par_wait_all(par_request **requests, size_t count,
                               par_status *statuses);

/* Cancel a receive for which no message has arrived yet, or an event: it is done
 * then, no message is lost, and *CANCELLED_P is true. Anything else cannot be called
 * back: *CANCELLED_P is false and the request goes on. Either way REQUEST is
 * still to be ended. May be called while another thread waits for REQUEST. */
PAR_API par_error par_cancel(par_request *request, bool *cancelled_p);

/* Let *REQUEST_P, of par_message_receive_start, go: it is freed and set to NULL, and the
 * message, if it has come, is left to the next receive.
 *
 * PAR_ERR_ARG  it is another kind of request
 */
PAR_API par_error par_receive_leave(par_request **request_p);

/* Make a request that is done when the program says so, by par_event_set: it
 * wakes a thread that waits for some of several requests. It is the caller's to
 * bring to its end.
 *
 * PAR_ERR_MEMORY
 */
PAR_API par_error par_event_start(par_comm *comm, par_request **request_p);

/* REQUEST, which par_event_start made, is done; again is harmless. May be called
 * while another thread waits for it.
 *
 * PAR_ERR_ARG  it is another kind of request
 */
PAR_API par_error par_event_set(par_request *request);

/* ---- message: type and size not known beforehand ------------------------ */

/* What a message is. */
typedef enum par_kind {
    PAR_ARRAY,  /* elements of a par_type: what par_send sends */
    PAR_OBJECT, /* an object in an encoding of the sender's language */
} par_kind;

/* A run of bytes. */
typedef struct par_part {
    void *data;
    size_t bytes;
} par_part;

/* What goes into a message, or came out of one: a description, which travels
 * ahead, and a body of any number of parts, which travel straight from the
 * sender's memory to the receiver's. */
typedef struct par_content {
    par_kind kind;
    uint8_t type; /* a par_type; for an object, its encoding: the language's to choose */
    uint8_t variant;       /* the language's own, carried along */
    uint8_t dims;          /* of an array; 1 for a plain run of elements */
    const uint64_t *shape; /* DIMS lengths; may be NULL where DIMS is 0 or 1 */
    const void *extra;     /* the language's own description, carried along */
    size_t extra_bytes;
    uint64_t bytes;             /* of the whole body */
    const uint64_t *part_bytes; /* of each part; NULL for a body in one part */
    size_t part_count;
} par_content;

/* A message that has arrived and has not been taken yet. */
typedef struct par_message par_message;

/* Send CONTENT with a body of PART_COUNT PARTS; otherwise as par_send.
 * The last three fields of CONTENT are not read: PARTS say it.
 *
 * If LEFT_P is not NULL, a hook may interrupt the wait: the send goes on as
 * *LEFT_P then, which must be brought to its end, and until that PARTS' memory
 * must stay.
 *
 * PAR_ERR_ARG          an unknown kind; a shape that contradicts type and bytes;
 *                      several parts or an extra description for an array of
 *                      anything but PAR_OPAQUE, which par_receive could not make
 *                      sense of
 * PAR_ERR_INTERRUPTED  see par_set_hooks
 */
PAR_API par_error par_message_send(par_comm *comm, const par_content *content,
                                   const par_part *parts, size_t part_count, int dest,
                                   int tag, par_request **left_p);

/* Start par_message_send; returns at once. The memory of PARTS must stay as it is
 * until the request has ended; CONTENT and the list of parts need not. */
PAR_API par_error par_message_send_start(par_comm *comm, const par_content *content,
                                         const par_part *parts, size_t part_count,
                                         int dest, int tag, par_request **request_p);

/* Start par_message_receive; returns at once. The call that ends the request with
 * success sets *MESSAGE_P. */
PAR_API par_error par_message_receive_start(par_comm *comm, int source, int tag,
                                            par_message **message_p,
                                            par_request **request_p);

/* Wait for a message from SOURCE under TAG, whatever it holds, and take it out
 * of the queue: nobody else receives it. The message is the caller's, to be
 * ended by par_message_take, _return or _free. Errors as in par_receive, but
 * for type and size. */
PAR_API par_error par_message_receive(par_comm *comm, int source, int tag,
                                      par_message **message_p);

/* What MESSAGE holds and where it came from. The pointers of *CONTENT lead into
 * MESSAGE and die with it; STATUS may be NULL. The message of a collective call has no
 * tag of the program's: PAR_ANY_TAG. */
PAR_API void par_message_content(const par_message *message, par_content *content,
                                 par_status *status);

/* The body of MESSAGE where it has come along with the description and so
 * needs no place to be received into: CONTENT->bytes bytes, or NULL. It dies
 * with MESSAGE. */
PAR_API const void *par_message_body(const par_message *message);

/* Receive the body of *MESSAGE_P into PARTS, which must be as many and as long
 * as its content says; end the message.
 *
 * Waits for the body, which is on its way, and lets nothing interrupt it.
 *
 * PAR_ERR_SIZE  the parts are not those of the content; the message lives on
 * PAR_ERR_MPI   the body is lost, the message ended
 */
PAR_API par_error par_message_take(par_message **message_p, const par_part *parts,
                                   size_t part_count);

/* Put *MESSAGE_P back to where it was received from, ahead of all messages
 * that came later. NULL is fine. */
PAR_API void par_message_return(par_message **message_p);

/* End *MESSAGE_P; a body that has not been taken is received and dropped,
 * for its sender waits for that. NULL is fine.
 *
 * PAR_ERR_MEMORY, PAR_ERR_MPI  the body could not be received; the message is ended
 */
PAR_API par_error par_message_free(par_message **message_p);

/* ---- wait: what happens while a rank waits ------------------------------ */

/* What the owner of an interpreter has to say while this library waits. Each
 * may be NULL. They are called without the library's lock, by the thread that
 * waits, and only when a wait has lasted longer than a short spin. That may be a
 * thread of the library's own (see par_task_start), but not for interrupt. */
typedef struct par_hooks {
    /* The wait gets long: let go of what other threads need (the GIL). */
    void *(*release)(void *context);
    /* The wait is over, or INTERRUPT is about to be called: take it back. */
    void (*acquire)(void *context, void *released);
    /* Return true to end the wait with PAR_ERR_INTERRUPTED (a signal has
     * arrived and its handler raised an exception). Called after a signal has
     * ended a sleep of the library, and every 100 ms. */
    bool (*interrupt)(void *context);
    /* Write to TEXT of SIZE bytes the line of the program that waits, as "solve.py:88";
     * false where this thread has none. Called after ACQUIRE, before RELEASE, once in a
     * wait that has become very long. */
    bool (*line)(void *context, char *text, size_t size);
    void *context;
} par_hooks;

/* Set the hooks of this process; they are copied, NULL takes them away. Waits that
 * have become long already keep theirs, but where they are taken away nothing is
 * asked any more: such a wait calls ACQUIRE alone, once, when it is over. */
PAR_API void par_set_hooks(const par_hooks *hooks);

/* ---- collective: all ranks together ------------------------------------- */

/* Every collective function waits until its own part is done, which may be
 * before others have done theirs. All errors of par_send and par_receive
 * apply, and:
 *
 * PAR_ERR_RANK      ROOT is not a rank of COMM
 * PAR_ERR_MISMATCH  another rank's call has another function, root, operation,
 *                   type or count, or has failed: the detail names the ranks. A
 *                   rank that had done its part by then learns it from its next
 *                   call, which fails on all ranks, unless another one has
 *                   learnt it already.
 *
 * A call that has failed on one rank fails on all that still wait in it, but for one
 * that is refused because of its own arguments: that is no call.
 */

/* Wait until every rank of COMM has come here. */
PAR_API par_error par_barrier(par_comm *comm);

/* Copy COUNT elements of TYPE at DATA from ROOT to DATA of every rank. */
PAR_API par_error par_broadcast(par_comm *comm, void *data, size_t count, par_type type,
                                int root);

/* Hand out the elements at DATA of ROOT: rank r gets COUNT elements, those
 * from r * COUNT on, at PART. DATA is looked at on ROOT alone. PART of ROOT may
 * be its own place in DATA. */
PAR_API par_error par_scatter(par_comm *comm, const void *data, void *part, size_t count,
                              par_type type, int root);

/* Collect COUNT elements at PART of each rank at DATA of ROOT, those of rank r
 * from r * COUNT on. DATA is looked at on ROOT alone. PART of ROOT may be its
 * own place in DATA. */
PAR_API par_error par_gather(par_comm *comm, const void *part, size_t count,
                             par_type type, void *data, int root);

/* Join COUNT elements at DATA of every rank, element by element, with OP, into
 * RESULT of ROOT, which is looked at there alone and may be DATA itself.
 * Elements are joined in the order of the ranks, in a shape that depends on the
 * number of ranks alone: the same numbers give the same bits, whatever the
 * timing.
 *
 * PAR_ERR_TYPE  OP cannot join elements of TYPE
 */
PAR_API par_error par_reduce(par_comm *comm, const void *data, void *result, size_t count,
                             par_type type, par_op op, int root);

/* par_reduce with the RESULT, of the same bits, on every rank. */
PAR_API par_error par_allreduce(par_comm *comm, const void *data, void *result,
                                size_t count, par_type type, par_op op);

/* Join the elements of ranks 0 to this one, in that order, into RESULT of this rank,
 * which may be DATA itself. */
PAR_API par_error par_scan(par_comm *comm, const void *data, void *result, size_t count,
                           par_type type, par_op op);

/* The same without this rank's own elements; RESULT of rank 0 is not touched. */
PAR_API par_error par_exscan(par_comm *comm, const void *data, void *result, size_t count,
                             par_type type, par_op op);

/* par_gather with DATA, of all ranks' parts, on every rank. */
PAR_API par_error par_allgather(par_comm *comm, const void *part, size_t count,
                                par_type type, void *data);

/* Send to each rank its COUNT elements at DATA, those of rank r from r * COUNT on,
 * and receive as many from each into RESULT, in the same order. DATA and RESULT must
 * not overlap. */
PAR_API par_error par_alltoall(par_comm *comm, const void *data, void *result,
                               size_t count, par_type type);

/* Collective calls whose parts have differing lengths. The rank that has or gets all
 * parts says in COUNTS how many elements each rank's has, and in DISPLS from which
 * element on it lies in DATA; DISPLS may be NULL where they lie one behind the other.
 * Both have a number for each rank and stay the caller's. Parts that are written must not
 * overlap.
 *
 * Both sides of a part must give the same count. If they don't the call has failed, as
 * one whose arguments differ; what has been received by then may be in its place.
 *
 * PAR_ERR_ARG       a list of counts is NULL; parts to be written overlap
 * PAR_ERR_SIZE      a part reaches further than this machine can address
 * PAR_ERR_MISMATCH  counts differ, too: the detail names the ranks and both counts
 */

/* Hand out COUNTS[r] elements of DATA of ROOT to each rank r, which has room for COUNT
 * of them at PART. DATA and the lists are looked at on ROOT alone; its PART may be its
 * own place in DATA. */
PAR_API par_error par_scatterv(par_comm *comm, const void *data, const size_t *counts,
                               const size_t *displs, void *part, size_t count,
                               par_type type, int root);

/* Collect COUNT elements at PART of each rank at DATA of ROOT, COUNTS[r] of rank r.
 * DATA and the lists are looked at on ROOT alone; its PART may be its own place in
 * DATA. */
PAR_API par_error par_gatherv(par_comm *comm, const void *part, size_t count,
                              par_type type, void *data, const size_t *counts,
                              const size_t *displs, int root);

/* par_gatherv with DATA, of all ranks' parts, on every rank. */
PAR_API par_error par_allgatherv(par_comm *comm, const void *part, size_t count,
                                 par_type type, void *data, const size_t *counts,
                                 const size_t *displs);

/* Send COUNTS[r] elements of DATA to each rank r, and receive RESULT_COUNTS[r] from
 * each into RESULT. DATA and RESULT must not overlap. */
PAR_API par_error par_alltoallv(par_comm *comm, const void *data, const size_t *counts,
                                const size_t *displs, void *result,
                                const size_t *result_counts, const size_t *result_displs,
                                par_type type);

/* Join the elements at DATA of every rank as par_reduce does, to the same bits, and
 * hand COUNTS[r] of them to RESULT of each rank r, one part behind the other. DATA has
 * as many as all COUNTS together, which all ranks give alike. RESULT may lie in DATA. */
PAR_API par_error par_reduce_scatter(par_comm *comm, const void *data, void *result,
                                     const size_t *counts, par_type type, par_op op);

/* This rank cannot make the collective call that the others make: theirs fail, with
 * WHY in their details. */
PAR_API par_error par_collective_fail(par_comm *comm, const char *why);

/* Collective calls that are started and not waited for: they return at once, and go on in
 * a thread of COMM's own, even while this one computes. *REQUEST_P is the caller's to
 * bring to its end; until that the memory must stay as it is, or untouched where the
 * result goes.
 *
 * A communicator's collective calls are made in the order in which they were started,
 * those that wait counted: these wait first until all that were started are over. So
 * all ranks must make the same calls in the same order, but some may wait for what
 * others start. None can be called back.
 *
 * A wrong COMM, ROOT or REQUEST_P is an error at once; all others come from the call
 * that ends the request. And:
 *
 * PAR_ERR_MPI  somebody else has started MPI with less than MPI_THREAD_SERIALIZED
 */
PAR_API par_error par_barrier_start(par_comm *comm, par_request **request_p);
PAR_API par_error par_broadcast_start(par_comm *comm, void *data, size_t count,
                                      par_type type, int root, par_request **request_p);
PAR_API par_error par_scatter_start(par_comm *comm, const void *data, void *part,
                                    size_t count, par_type type, int root,
                                    par_request **request_p);
PAR_API par_error par_gather_start(par_comm *comm, const void *part, size_t count,
                                   par_type type, void *data, int root,
                                   par_request **request_p);
PAR_API par_error par_reduce_start(par_comm *comm, const void *data, void *result,
                                   size_t count, par_type type, par_op op, int root,
                                   par_request **request_p);
PAR_API par_error par_allreduce_start(par_comm *comm, const void *data, void *result,
                                      size_t count, par_type type, par_op op,
                                      par_request **request_p);
PAR_API par_error par_allgather_start(par_comm *comm, const void *part, size_t count,
                                      par_type type, void *data, par_request **request_p);
PAR_API par_error par_alltoall_start(par_comm *comm, const void *data, void *result,
                                     size_t count, par_type type,
                                     par_request **request_p);

/* What a task does; its error, with the detail that is its thread's then, comes from
 * the call that ends its request. */
typedef par_error par_task(void *argument);

/* Start RUN with ARGUMENT in the place of a collective call of COMM: at its turn among
 * them, in the same thread. It may make collective calls of COMM, which all ranks'
 * tasks make alike, and must not wait for a task that comes later. PAR_ERR_ARG: RUN
 * is NULL. */
PAR_API par_error par_task_start(par_comm *comm, par_task *run, void *argument,
                                 par_request **request_p);

/* Let *REQUEST_P, of a collective call or a task, go on with nobody to wait for it; it
 * is freed and set to NULL, and its error, if any, is lost.
 *
 * PAR_ERR_ARG  it is another kind of request
 */
PAR_API par_error par_task_leave(par_request **request_p);

/* Collective calls, which wait, for messages whose content only their sender knows; what
 * bindings build on. */

/* ROOT gives CONTENT and PARTS (others: both ignored); every other rank gets
 * *MESSAGE_P, to be ended as a received one is; on ROOT it is set to NULL. */
PAR_API par_error par_message_broadcast(par_comm *comm, const par_content *content,
                                        const par_part *parts, size_t part_count,
                                        int root, par_message **message_p);

/* ROOT gives a content and a list of parts for each rank, its own not looked at
 * (others: all ignored); every other rank gets *MESSAGE_P, on ROOT it is set to
 * NULL. */
PAR_API par_error par_message_scatter(par_comm *comm, const par_content *contents,
                                      const par_part *const *parts,
                                      const size_t *part_counts, int root,
                                      par_message **message_p);

/* What callers of the three below make of the messages, where they join what these hold
 * in a way of their own. All ranks must say the same, as in a call that joins elements;
 * it is what messages and reports call the call, too. */
typedef enum par_join_kind {
    PAR_JOIN_REDUCE,
    PAR_JOIN_ALLREDUCE,
    PAR_JOIN_SCAN,
    PAR_JOIN_EXSCAN,
    PAR_JOIN_REDUCE_SCATTER,
} par_join_kind;

typedef struct par_join {
    par_join_kind kind;
    int op; /* a par_op; PAR_JOIN_FUNCTION for a function, of which no more is known */
} par_join;

enum { PAR_JOIN_FUNCTION = -1 };

/* Every rank gives CONTENT and PARTS; ROOT gets a message of each other rank,
 * messages[r], with messages[ROOT] NULL. MESSAGES is looked at on ROOT alone. JOIN is
 * NULL where it is a gather and no more.
 *
 * PAR_ERR_ARG  JOIN has a kind or an operation that is none; so in the next two */
PAR_API par_error par_message_gather(par_comm *comm, const par_content *content,
                                     const par_part *parts, size_t part_count, int root,
                                     par_message **messages, const par_join *join);

/* Every rank gives CONTENT and PARTS, and gets a message of each other rank,
 * MESSAGES[r], with that of its own rank NULL. SENDS, one for each rank, are what it
 * has under way then: to be ended by par_wait_all, but only after the messages have
 * been taken, on which the other ranks' sends wait. */
PAR_API par_error par_message_allgather(par_comm *comm, const par_content *content,
                                        const par_part *parts, size_t part_count,
                                        par_message **messages, par_request **sends,
                                        const par_join *join);

/* The same with a content and a list of parts for each rank, its own not looked at. */
PAR_API par_error par_message_alltoall(par_comm *comm, const par_content *contents,
                                       const par_part *const *parts,
                                       const size_t *part_counts, par_message **messages,
                                       par_request **sends, const par_join *join);

/* ---- pool: tasks for whichever rank is free ------------------------------ */

/* Ranks that do tasks for each other. Rank 0 manages: a thread of the library hands out
 * tasks there, and collects results, whatever the program's threads do meanwhile.
 *
 * A task is a message, of anything, that some rank submits and some rank takes and
 * answers; so is its result. Those whose content fits a message of one piece with the
 * body (see par_options) travel several together if they take little time; the others
 * alone, straight from their memory.
 *
 * How long the tasks of a function take is measured: a worker is given no more than it
 * does in about a millisecond, at least one, and one more only if all take little time.
 * So nobody has many while others have none. Small tasks that wait behind one that takes
 * longer than was to be expected go to others after some hundredths of a second.
 *
 * Any thread may call them, but only one at a time those of one task or one result. All
 * but open and close return, once something of the pool's own has failed on this rank,
 * that error. While a pool is idle, its ranks sleep, and that is no deadlock.
 */
typedef struct par_pool par_pool;
typedef struct par_pool_task par_pool_task;
typedef struct par_pool_result par_pool_result;

/* Choices for par_pool_open, looked at on rank 0; zero stands for the default. */
typedef struct par_pool_options {
    /* How many seconds of work a worker is given ahead: 0.001. */
    double ahead;
    /* Tasks that take less, in seconds, are not for the thread of rank 0 that takes
     * tasks, unless there is no other worker, since the program has the more to do there:
     * 0.0002. */
    double local;
} par_pool_options;

/* Make *POOL_P of the ranks of COMM, which may be used for anything else meanwhile; no
 * message of the pool meets its. A rank does tasks when it calls par_pool_take, which
 * none has to. Collective.
 *
 * PAR_ERR_ARG  an option is negative or not a number; POOL_P is NULL: on that rank alone
 * and those of par_duplicate
 */
PAR_API par_error par_pool_open(par_comm *comm, const par_pool_options *options,
                                par_pool **pool_p);

/* On rank 0: once all tasks are done, par_pool_take gives NULL on all ranks. Only tasks
 * may submit from now on. DISCARD: those that nobody has begun are taken back. Does not
 * wait.
 *
 * PAR_ERR_RANK  another rank calls it
 */
PAR_API par_error par_pool_stop(par_pool *pool, bool discard);

/* Free *POOL_P and set it to NULL, with channels and results that are left: they must
 * not be used any more. Rank 0 stops it first, if that has not been done, and waits
 * until all tasks are done; the other ranks wait for that. Collective.
 *
 * PAR_ERR_STATE  this rank, not 0, has called par_pool_take, which has not given NULL
 *                yet; it is called in a task; on rank 0: tasks are left, and all others
 *                close the pool, too, so that nobody does them; a thread of this rank
 *                doesn't leave par_pool_take or par_pool_wait
 * and those of par_comm_free
 */
PAR_API par_error par_pool_close(par_pool **pool_p);

/* Give *SHARED_P, a number over 0 that is never used again, to what many tasks of this
 * rank need: a function, a table. It is copied, and sent to each worker once, ahead of
 * the first task that names it. Errors as in par_message_send. */
PAR_API par_error par_pool_share(par_pool *pool, const par_content *content,
                                 const par_part *parts, size_t part_count,
                                 uint64_t *shared_p);

/* No task will name SHARED, of this rank, any more: when those that do are done, it is
 * dropped everywhere.
 *
 * PAR_ERR_ARG  this rank has not shared it, or has forgotten it
 */
PAR_API par_error par_pool_forget(par_pool *pool, uint64_t shared);

/* What SHARED is, to be read and not to be ended; it lives at least as long as the task
 * that names it. NULL where this rank doesn't have it. */
PAR_API const par_message *par_pool_shared(par_pool *pool, uint64_t shared);

/* A number that this rank has had from par_pool_shared and has been dropped since, to be
 * dropped from a cache: each is told once. 0 when there is none. Cheap then. */
PAR_API uint64_t par_pool_dropped(par_pool *pool);

/* Open a channel: results of the tasks that are submitted on it come out of it on this
 * rank, in the order in which they were submitted, if ORDERED, or else as they are done.
 *
 * WITHIN is the task in which the channel is opened, for what is submitted on it is part
 * of that, and goes before the tasks that are not; NULL outside of tasks. */
PAR_API par_error par_pool_channel_open(par_pool *pool, bool ordered,
                                        const par_pool_task *within, int *channel_p);

/* Close CHANNEL; its number may be given to a later one. Tasks that nobody has begun are
 * taken back, and results that come later are dropped. A thread that waits there is told
 * that nothing is outstanding.
 *
 * PAR_ERR_ARG  it is not open
 */
PAR_API par_error par_pool_channel_close(par_pool *pool, int channel);

/* The same, and tasks of CHANNEL that have begun are interrupted, with all that was
 * submitted within them, as far as who does them can: see par_pool_on_interrupt. Does not
 * wait for that. */
PAR_API par_error par_pool_channel_break(par_pool *pool, int channel);

/* Submit a task on CHANNEL. *TASK_P, over 0 and never used again, is its number. SHARED
 * names what par_pool_share has given on this rank; 0 names nothing.
 *
 * If *COPIED_P is false, the memory of PARTS must stay until par_pool_released tells the
 * task; with a NULL COPIED_P everything is copied. On other ranks than 0 this waits until
 * the manager has a large task, which is copied then.
 *
 * PAR_ERR_ARG    CHANNEL is not open; this rank has not shared SHARED
 * PAR_ERR_STATE  the pool has been stopped, and CHANNEL is not a task's
 * and those of par_message_send
 */
PAR_API par_error par_pool_submit(par_pool *pool, int channel, uint64_t shared,
                                  const par_content *content, const par_part *parts,
                                  size_t part_count, bool *copied_p, uint64_t *task_p);

/* A task of this rank that was not copied and whose memory is free now, since it is done
 * or has been taken back: each is told once. 0 when there is none. Cheap then. */
PAR_API uint64_t par_pool_released(par_pool *pool);

/* Take TASK, of this rank, back if nobody has begun it, which *CANCELLED_P says: it is
 * not done, and has no result. Other ranks than 0 ask the manager and wait for its
 * answer. */
PAR_API par_error par_pool_cancel(par_pool *pool, uint64_t task, bool *cancelled_p);

/* What par_pool_wait has come to. */
typedef enum par_pool_turn {
    PAR_POOL_RESULT,  /* there is a result */
    PAR_POOL_TASK,    /* there is a task, to be done meanwhile */
    PAR_POOL_NOTHING, /* the channel has no tasks that are not done, or is closed */
    PAR_POOL_LATE,    /* the time is up */
} par_pool_turn;

/* Wait for the next result of CHANNEL, for at most SECONDS, or for ever if negative: a
 * hook may interrupt that. *RESULT_P is the caller's, to be freed.
 *
 * If TASK_P is not NULL, it may get a task instead, which this thread has to do and
 * answer before it waits again: any if CHANNEL was opened outside of tasks, or else one
 * that is submitted within a task. So tasks can wait for others, however deep, and no
 * worker waits with nothing to do. RESULT_P and TASK_P that are not told of by *TURN_P
 * are set to NULL.
 *
 * One thread at a time waits for a channel.
 *
 * PAR_ERR_INTERRUPTED  see par_set_hooks
 */
PAR_API par_error par_pool_wait(par_pool *pool, int channel, double seconds,
                                par_pool_result **result_p, par_pool_task **task_p,
                                par_pool_turn *turn_p);

/* Wait for the next task of this rank, *TASK_P, to be answered; NULL: the pool has been
 * stopped.
 *
 * PAR_ERR_INTERRUPTED  see par_set_hooks
 */
PAR_API par_error par_pool_take(par_pool *pool, par_pool_task **task_p);

/* What TASK is: a message that came from the rank that submitted it, to be read and ended
 * as others, by par_message_take, say; or left, which ends it with the task. */
PAR_API par_message **par_pool_task_message(par_pool_task *task);

/* Which task it is, and what it names: 0 for nothing. */
PAR_API uint64_t par_pool_task_number(const par_pool_task *task);
PAR_API uint64_t par_pool_task_shared(const par_pool_task *task);

/* TASK, which this rank has taken and not answered yet, is interrupted. */
typedef void par_pool_interrupt(void *context, const par_pool_task *task);

/* Have CALL called with CONTEXT for each task that is interrupted while this rank does
 * it, by any thread, which must not wait in it nor call the library, other than by
 * par_pool_task_is_interrupted. A thread of the library listens from now on while this
 * rank does tasks. Such a task is to be answered as any other, only soon.
 *
 * PAR_ERR_ARG     CALL is NULL
 * PAR_ERR_STATE   it has been given before
 * PAR_ERR_MPI     MPI takes no calls of several threads
 * PAR_ERR_MEMORY  the system has no thread left
 */
PAR_API par_error par_pool_on_interrupt(par_pool *pool, par_pool_interrupt *call,
                                        void *context);

/* Whether TASK has been interrupted: nobody wants its result. */
PAR_API bool par_pool_task_is_interrupted(const par_pool_task *task);

/* On rank 0: give up *TASK_P, which is interrupted and which a thread cannot end: the
 * pool counts it as done. That thread must not answer it nor do other tasks, but may
 * still read it, so it is not freed. *TASK_P is set to NULL.
 *
 * PAR_ERR_ARG    the task is NULL
 * PAR_ERR_RANK   another rank calls it
 * PAR_ERR_STATE  it is not interrupted
 */
PAR_API par_error par_pool_give_up(par_pool *pool, par_pool_task **task_p);

/* A signal by which CALL may tell a thread: that a program handles it is, for the search
 * for deadlocks, no sign that it may go on. */
PAR_API int par_pool_signal(void);

/* End *TASK_P with a result: CONTENT with PARTS, whose memory is free on return, and
 * STATUS, the program's to choose. Waits until the manager has a large one.
 *
 * Errors as in par_message_send. An answer that is refused, with PAR_ERR_ARG, _TYPE or
 * _SIZE, is none: the task lives on. */
PAR_API par_error par_pool_answer(par_pool *pool, par_pool_task **task_p, int status,
                                  const par_content *content, const par_part *parts,
                                  size_t part_count);

/* What RESULT is, whose body par_message_body gives; whose result, and from which rank of
 * the pool's communicator. The message ends with RESULT, but can be ended before. */
PAR_API par_message **par_pool_result_message(par_pool_result *result);
PAR_API uint64_t par_pool_result_task(const par_pool_result *result);
PAR_API int par_pool_result_worker(const par_pool_result *result);
PAR_API int par_pool_result_status(const par_pool_result *result);

/* The memory in which the body of RESULT's message lies, all parts one after the other:
 * the caller's from now on, for par_free, and par_message_body stays there. NULL where
 * the body is small and has no memory of its own, or was handed over before. */
PAR_API void *par_pool_result_hand_over(par_pool_result *result);

/* Free *RESULT_P and set it to NULL. NULL is fine. */
PAR_API void par_pool_result_free(par_pool_result **result_p);

#ifdef __cplusplus
}
#endif

#endif
