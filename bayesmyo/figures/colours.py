"""Colours that all eyes and a grey printer tell apart, of Okabe and Ito (https://jfly.uni-koeln.de/color/).

Whatever differs in colour differs in shape or line too.
"""

BLACK, GREY, FAINT, PALE = "#000000", "#6E6E6E", "#A6A6A6", "#D9D9D9"
BLUE, SKY, ORANGE, GREEN = "#0072B2", "#56B4E9", "#E69F00", "#009E73"
VERMILLION, PURPLE = "#D55E00", "#CC79A7"
