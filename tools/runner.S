/*
 * The slot runner's program as bytes in lull: runner_image up to runner_image_end.
 * The build says with -DRUNNER where the program lies.
 */
	.section .rodata
	.global runner_image
	.global runner_image_end
	.balign 16
runner_image:
	.incbin RUNNER
runner_image_end:

	.section .note.GNU-stack, "", @progbits
