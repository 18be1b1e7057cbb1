/* Made by snncc: when samples end early. */
#ifndef MODEL_EXIT_H
#define MODEL_EXIT_H

#define MODEL_EXIT_MARGIN 0 /* at which a sample ends; 0: after all steps */

#endif
