# Every target lives in a file of its topic.
include mk/*.mk
