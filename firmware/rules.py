"""What each rule of safety.RULES is about, in words: for pages and people.

No rig imports it: what a rig says names the part and the number, "fan 2 at 0 rpm of 4000".
"""

WORDS = {
    "overheat": "an outlet above 72 C",
    "hot": "an outlet above 65 C",
    "inlet-hot": "air comes in above 45 C",
    "sensor-lost": "a temperature is not known",
    "sensor-dead": "a temperature stays unknown",
    "fan-stopped": "a fan turns at less than half its speed",
    "fan-weak": "a fan turns at less than 80 % of its speed",
    "fan-odd": "a fan tells half again the speed it can have",
    "supply-fault": "the supply reports a fault",
    "supply-missing": "the supply gives less than 90 % of its volts",
    "supply-lost": "the supply does not answer",
    "supply-dead": "the supply stays silent",
    "supply-stays-on": "watts flow although hash power is off",
    "loop-late": "the safety loop was held up for a second",
    "board-lost": "a board does not start, or its chips are silent",
    "board-slow": "a board makes less than half of the hashes its clock makes",
    "board-wrong": "more than 30 % of a board's hashes are wrong",
    "chips-wrong": "more than 5 % of a board's hashes are wrong",
    "board-clock": "a chip's clock is not the one it was given",
    "board-dead": "no hash power, or no board that may run",
    "restarts": "the controller keeps restarting: a pause first",
}
