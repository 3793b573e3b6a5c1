/* use_mpi.h - the one door through which MPI enters.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_USE_MPI_H
#define PAR_SRC_USE_MPI_H

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include "error.h"

/* MPI_Init_thread, after telling the transport what suits us. */
int use_mpi_start(int *argc, char ***argv);

/* What MPI this is, and where it lies, in TEXT of SIZE bytes. */
void use_mpi_describe(char *text, size_t size);

/* MPI's own waiting, in its functions that block, begins and ends. Between the two it
 * yields the core if the launcher told it to, as where ranks outnumber cores; apart
 * from them, where wait.c waits, it doesn't, for it would do so with our lock. */
void use_mpi_begin_blocking(void);
void use_mpi_end_blocking(void);

/* Ranks outnumber the cores here, even if the launcher doesn't know: it is to yield. */
void use_mpi_yield(void);

/* Whether several threads may call MPI, one at a time. */
bool use_mpi_takes_threads(void);

/* End all ranks with status CODE. */
_Noreturn void use_mpi_abort(int code);

/* PAR_ERR_MPI with MPI's own words on CODE, which CALL returned. */
par_error error_mpi(int code, const char *call);

#endif
