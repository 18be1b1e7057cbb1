"""What to do about an operator that is not supported: the closest form that is, and how to get it."""

_SEQUENCE = "only feed-forward networks can be converted; a 1-D convolution over a window of time"
_NORMALIZATION = "it computes its factors from each sample; use BatchNormalization, which folds"
HINTS = {
    "Erf": "this is a GELU that was taken apart; --approximate makes neurons of it, ReLU none",
}
