/* memory.h - how much memory this process may still take. */
#ifndef GVM_BASE_MEMORY_H
#define GVM_BASE_MEMORY_H

/* Bytes that can be had without swapping: the least of what the machine has (MemAvailable), what each control group
 * leaves that the process is in (version 1 or 2, as containers and systemd set them) and its limit of address space. A
 * great many where the system does not say. */
double memory_available(void);

/* The first two, with proc and sys/fs/cgroup in the folder `root`. */
double memory_available_under(const char *root);

#endif
