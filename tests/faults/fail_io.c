/* fail_io.c - files that cannot be read or written (fault.h). */
#include <errno.h>

#include "faults/fault.h"

int __wrap_fsync(int file);

/* Nothing that a test writes need outlive a power cut. */
int __wrap_fsync(int file)
{
    (void)file;
    if (!fault_due(FAULT_SYNC)) return 0;
    errno = EIO;
    return -1;
}
