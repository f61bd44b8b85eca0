/* Runs the self-test of the model in the header MODEL, whose functions begin with NAME. */
#include MODEL
#include <stdio.h>
#define PASTE(name, function) name##function
#define CALL(name) PASTE(name, _self_test)
int main(void) {
  char message[256];
  int status = CALL(NAME)(message, NULL);
  printf("%s %s\n", netc_text(status), message);
  return status;
}
