// SPDX-License-Identifier: MIT
// The commands of quire-lab: each is a main() of its own, in the file that its name begins with.
// argument[0] is the command's name; the result is the exit status (2: bad usage or input).
#pragma once

int curve_main(int count, char **argument);
int step_main(int count, char **argument);
int record_main(int count, char **argument);
int seen_main(int count, char **argument);
int replay_main(int count, char **argument);
int sim_main(int count, char **argument);
int sim_rates_main(int count, char **argument);
int sim_scores_main(int count, char **argument);
int convert_main(int count, char **argument);
int merge_main(int count, char **argument);
int sim_policies_main(int count, char **argument);
int trace_main(int count, char **argument);
int dissector_main(int count, char **argument);
