/* launch.h - who has started this rank, and who has chosen its CPUs.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_LAUNCH_H
#define PAR_SRC_LAUNCH_H

#include "share.h"

typedef enum launcher {
    LAUNCHER_NONE,       /* the program was started by itself */
    LAUNCHER_OPEN_MPI_4, /* it says what it was told */
    LAUNCHER_SILENT,     /* mpirun of others, which binds and doesn't say whether it was
                          * told to */
    LAUNCHER_SLURM,      /* srun, without mpirun */
    LAUNCHER_OTHER,
} launcher;

/* Who has started this one of SIZE ranks, from the environment. */
launcher launch_who(int size);

/* The CPUs of the process that started this rank, which mpirun was confined to itself;
 * empty where there is none, or none that can be seen. */
mask launch_room(launcher who);

/* Say in *CLAIM, of which HAVE is set, whether somebody has chosen it, who, and where
 * the rank may be moved to. SIZE is that of the job, LOCAL the rank's number on its
 * node, and ROOM what launch_room gave. M may be NULL. */
void launch_judge(launcher who, int size, int local, const machine *m, const mask *room,
                  share_claim *claim);

#endif
