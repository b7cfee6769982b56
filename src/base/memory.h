/* memory.h - the memory that this process can still allocate */
#ifndef GVM_BASE_MEMORY_H
#define GVM_BASE_MEMORY_H

/* Bytes available without swapping: the minimum of the machine's MemAvailable, the remainder of each control group that
 * the process is in (versions 1 and 2, as set by containers and systemd), and the remainder of its address space limit.
 * At least 1e18 if the system reports none of them. */
double memory_available(void);

/* The first two of these, reading proc and sys/fs/cgroup below the folder `root`. */
double memory_available_under(const char *root);

#endif
